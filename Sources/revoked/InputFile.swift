internal import Foundation
internal import Glibc

/// Reads whole files that a person or a service manager names: settings, secrets, bodies.
///
/// A pipe is as good as a file (`--config <(…)`), if it delivers in time. One without a writer must not hold up a start
/// or a reload for ever, nor may a device that never ends fill the memory.
enum InputFile {
  /// The writer at the other end of a pipe has this long.
  static let patience = Duration.seconds(5)

  /// - Parameter limit: in bytes; a longer file is refused.
  static func bytes(
    of path: String, atMost limit: Int, within patience: Duration = Self.patience
  ) throws(Mismatch) -> [UInt8] {
    // Without O_NONBLOCK, a pipe is not even opened before somebody writes to it. A String lent to C lives as long as
    // the call.
    let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw problem(path, errno) }
    defer { close(descriptor) }
    return try bytes(of: descriptor, called: path, atMost: limit, within: patience)
  }

  /// What standard input has, however long that takes: somebody may be typing it.
  static func standardInput(atMost limit: Int) throws(Mismatch) -> [UInt8] {
    try bytes(of: STDIN_FILENO, called: "standard input", atMost: limit, within: nil)
  }

  private static func bytes(
    of descriptor: Int32, called path: String, atMost limit: Int, within patience: Duration?
  ) throws(Mismatch) -> [UInt8] {
    let deadline = patience.map { ContinuousClock.now + $0 }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      // Before the first read: a pipe that has no writer yet would look like one that is at its end.
      if let deadline, let patience { try wait(for: descriptor, until: deadline, path, patience) }
      // The buffer lives for the call, and its own count bounds it.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        switch errno {
        case EINTR: continue
        case EAGAIN:
          // Another process that shares standard input made it non-blocking.
          try wait(for: descriptor, until: deadline ?? .now + .seconds(3600), path, patience ?? .seconds(3600))
        case let code: throw problem(path, code)
        }
        continue
      }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw Mismatch("\(path) has more than \(limit) bytes") }
    }
  }

  private static func wait(
    for descriptor: Int32, until deadline: ContinuousClock.Instant, _ path: String, _ patience: Duration
  ) throws(Mismatch) {
    while true {
      let rest = max(.zero, ContinuousClock.now.duration(to: deadline)) / .milliseconds(1)
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // One `pollfd` is passed and one is there.
      let count = unsafe poll(&poller, 1, Int32(rest.rounded(.up)))
      if count > 0 { return }
      if count < 0, errno != EINTR { throw problem(path, errno) }
      if count == 0 {
        throw Mismatch("\(path) is a pipe or a device, and did not deliver within \(patience)")
      }
    }
  }

  private static func problem(_ path: String, _ code: Int32) -> Mismatch {
    switch code {
    case ENOENT: Mismatch("\(path) does not exist" + (SecretReading.slip(inValue: path).map { ": it \($0)" } ?? ""))
    case EACCES, EPERM: Mismatch("\(path) may not be read" + (FileAccess.obstacle(to: path).map { ": \($0)" } ?? ""))
    case EISDIR: Mismatch("\(path) is a folder; it must be a file")
    default: Mismatch("\(path) cannot be read: \(SystemText.of(code))")
    }
  }
}

/// What the system says of an error number.
enum SystemText {
  static func of(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    // strerror returns a NUL-terminated string that lives until this thread's next call of it.
    return unsafe String(cString: text)
  }
}

/// Who may do what with a file, to explain a refusal.
enum FileAccess {
  /// The file or folder on the way to `path` that keeps this process from it, with its owner; nil when none is found.
  static func obstacle(to path: String, writing: Bool = false) -> String? {
    let parts = way(to: URL(filePath: path).standardizedFileURL)
    for (at, part) in parts.enumerated() {
      let isLast = at == parts.count - 1
      let wanted = isLast ? (writing ? R_OK | W_OK : R_OK) : X_OK
      // A String lent to C lives as long as the call.
      guard unsafe access(part, wanted) != 0 else { continue }
      guard errno == EACCES || errno == EPERM, let information = status(part) else { return nil }
      let mode = String(information.st_mode & 0o7777, radix: 8)
      return "\(part) belongs to uid \(information.st_uid), gid \(information.st_gid), mode \(mode);"
        + " this process is uid \(geteuid()), gid \(getegid())"
    }
    return nil
  }

  /// Whether every user of this machine may read the regular file: it says so, and so does each folder on the way.
  static func isReadableByAll(_ path: String) -> Bool {
    let parts = way(to: URL(filePath: path).resolvingSymlinksInPath())
    guard let last = parts.last.flatMap(status), last.st_mode & S_IFMT == S_IFREG, last.st_mode & S_IROTH != 0 else {
      return false
    }
    return parts.dropLast().allSatisfy { status($0).map { $0.st_mode & S_IXOTH != 0 } ?? false }
  }

  /// From below the root down to the file itself.
  private static func way(to file: URL) -> [String] {
    var parts: [String] = []
    var rest = file
    while rest.path.count > 1 {
      parts.append(rest.path)
      rest.deleteLastPathComponent()
    }
    return parts.reversed()
  }

  /// nil when there is no such file, or it may not be looked at.
  static func status(_ path: String) -> stat? {
    var information = stat()
    // The string and the structure live for the call.
    return unsafe stat(path, &information) == 0 ? information : nil
  }
}
