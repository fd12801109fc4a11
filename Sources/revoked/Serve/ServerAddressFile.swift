internal import Foundation
internal import Glibc
internal import HTTPServer
internal import Receiver

/// A failed system call, as text.
struct SystemFailure: Error, CustomStringConvertible {
  let description: String
}

/// `serve.json` in the data folder: where the running server really listens, for `healthcheck`. A flag of `serve` or a
/// port that the kernel picked is known nowhere else. A server that was killed leaves it; the next one replaces it.
struct ServerAddressFile {
  private struct Content: Codable {
    var pid: Int32
    var `public`: String
    var `private`: String
  }

  private let data: String
  private let path: String

  /// - Parameter data: the store's folder.
  init(_ data: String) {
    self.data = URL(filePath: data).path
    path = URL(filePath: data).appending(path: "serve.json").path
  }

  private var content: Content? { (try? InputFile.bytes(of: path, atMost: 4096)).flatMap(Self.content) }

  private static func content(in bytes: [UInt8]) -> Content? {
    try? JSONDecoder().decode(Content.self, from: Data(bytes))
  }

  /// The private listener; nil when no server wrote one down.
  var privateListener: ListenAddress? { content.flatMap { ListenAddress($0.private) } }

  static func privateListener(in bytes: [UInt8]) -> ListenAddress? {
    content(in: bytes).flatMap { ListenAddress($0.private) }
  }

  /// The server that runs; nil when there is none, or none that can be told from a stranger with its number.
  var server: ServerProcess? {
    guard let content, let address = ListenAddress(content.public), ServerProcess.holds(data, content.pid) else {
      return nil
    }
    return ServerProcess(number: content.pid, publicListener: address)
  }

  /// Replaces the file at once, so that it is never read half written. Only its owner may read it.
  func write(public: ListenAddress, private: ListenAddress) throws(SystemFailure) {
    let content = Content(pid: getpid(), public: Self.absolute(`public`), private: Self.absolute(`private`))
    let bytes = Array((JSON.line(content) + "\n").utf8)
    let temporary = path + ".partial"
    // Strings lent to C live as long as the call, and so does the buffer.
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    let isWritten = count == bytes.count
    close(descriptor)
    guard isWritten, unsafe rename(temporary, path) == 0 else { throw failure() }
  }

  func remove() {
    // A String lent to C lives as long as the call.
    _ = unsafe unlink(path)
  }

  /// A socket's path as another working folder sees it.
  private static func absolute(_ address: ListenAddress) -> String {
    guard case .unix(let path) = address else { return "\(address)" }
    return "unix:\(URL(filePath: path).path)"
  }

  private func failure() -> SystemFailure { SystemFailure(description: "\(path): \(SystemText.of(errno))") }
}

/// A server of ours that runs on this machine.
struct ServerProcess {
  let number: Int32
  let publicListener: ListenAddress

  /// Whether the process has the lock of the data folder. A server that was killed leaves its number behind, which may
  /// be another process' by now.
  fileprivate static func holds(_ folder: String, _ number: Int32) -> Bool {
    // "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF": the process, the device and the file's number. A file system
    // may show another device here than to stat(2), so that it is left out.
    guard let file = FileAccess.status(folder)?.st_ino,
      let locks = try? InputFile.bytes(of: "/proc/locks", atMost: 1 << 24)
    else { return false }
    return String(decoding: locks, as: UTF8.self).split(separator: "\n").contains { line in
      let words = line.split(separator: " ")
      return words.count > 5 && words[1] == "FLOCK" && words[4] == "\(number)" && words[5].hasSuffix(":\(file)")
    }
  }

  /// False: it has ended, or is another user's.
  func signal(_ signal: Int32) -> Bool { number > 0 && kill(number, signal) == 0 }
}

extension Settings {
  /// Where the running server's private listener is: as the command line says, else as the server wrote down, else as
  /// it is configured.
  var runningPrivateListener: ListenAddress {
    if entries.first(where: { $0.key == "private-listen" })?.source == .flag { return receiver.privateListen }
    return ServerAddressFile(receiver.data).privateListener ?? receiver.privateListen
  }
}
