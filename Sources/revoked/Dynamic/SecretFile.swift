internal import Foundation
internal import Glibc

/// The file with the webhook's secrets, one a line, that `DYNAMIC_WEBHOOK_SECRET_FILE` names.
struct SecretFile {
  /// What a file begins with before there is a webhook whose secret can be known: a random text behind this word. It
  /// goes once there is one.
  static let placeholder = "placeholder"

  private static let longest = 1 << 20

  /// Behind all links.
  let path: String
  private let lines: [Substring]
  private let status: stat?

  /// Throws where the file, or the folder for a new one, cannot be used: before anything is asked of Dynamic.
  init(_ path: String) throws(Mismatch) {
    self.path = URL(filePath: path).resolvingSymlinksInPath().path
    status = FileAccess.status(self.path)
    let folder = URL(filePath: self.path).deletingLastPathComponent().path
    // A String lent to C lives as long as the call.
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw Mismatch("\(folder) cannot be written to: \(SystemText.of(errno))")
    }
    guard let status else {
      lines = []
      return
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Mismatch("\(path) is no regular file") }
    let bytes = try InputFile.bytes(of: self.path, atMost: Self.longest)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Mismatch("\(path) is not UTF-8 text") }
    // A Windows line end is one character.
    lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  /// Adds the secrets that are not there yet, beside those that are, and replaces the file at once.
  ///
  /// - Returns: how many were added.
  func add(_ secrets: [String]) throws(Mismatch) -> Int {
    let known = Set(SecretVariables.lines(of: lines.joined(separator: "\n")).map { Array($0.utf8) })
    let new = secrets.filter { !known.contains(Array($0.utf8)) }
    guard !new.isEmpty else { return 0 }
    var kept = lines.filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix(Self.placeholder) }
    while kept.last?.isEmpty == true { kept.removeLast() }
    let text = (kept.map(String.init) + new).joined(separator: "\n") + "\n"
    // What a server could not read must not replace what it can.
    let written = SecretVariables.lines(of: text)
    guard new.allSatisfy({ written.contains($0) && !$0.contains(where: \.isWhitespace) }) else {
      throw Mismatch("a secret from Dynamic cannot stand in a file: it has white space, or begins with #")
    }
    let value = ConfigurationValue(content: .list(written), source: .flag)
    do {
      _ = try ValueParser.secrets.parse(value)
    } catch {
      throw Mismatch("\(path) would hold a secret that no server takes: \(error.text)")
    }
    try replace(by: text)
    return new.count
  }

  private func replace(by text: String) throws(Mismatch) {
    let bytes = Array(text.utf8)
    let temporary = path + ".partial"
    // Strings lent to C live as long as the call, and so does the buffer.
    _ = unsafe unlink(temporary)
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count, keepOwner(descriptor), fsync(descriptor) == 0, unsafe rename(temporary, path) == 0
    else {
      let failure = failure()
      _ = unsafe unlink(temporary)
      throw failure
    }
    syncFolder()
  }

  /// The server may be another user, who reads the file as its owner or by its group.
  private func keepOwner(_ descriptor: Int32) -> Bool {
    guard let status, status.st_uid != geteuid() || status.st_gid != getegid() else { return true }
    let mode = status.st_gid == getegid() ? 0o600 : 0o600 | status.st_mode & 0o040
    return fchown(descriptor, status.st_uid, status.st_gid) == 0 && fchmod(descriptor, mode) == 0
  }

  /// So that the new name outlives a power cut. The secret can be fetched again, so that it need not succeed.
  private func syncFolder() {
    // A String lent to C lives as long as the call.
    let folder = unsafe open(
      URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = fsync(folder)
    close(folder)
  }

  private func failure() -> Mismatch { Mismatch("\(path) cannot be written: \(SystemText.of(errno))") }
}
