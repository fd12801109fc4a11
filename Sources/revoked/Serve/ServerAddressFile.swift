internal import Foundation
internal import Glibc
internal import HTTPServer
internal import Receiver

/// A failed system call, as text.
struct SystemFailure: Error, CustomStringConvertible {
  let description: String
}

/// `serve.json` in the data folder: where the running server really listens, for `healthcheck`. A flag of `serve` or a port that
/// the kernel picked is known nowhere else. A server that was killed leaves it; the next one replaces it.
struct ServerAddressFile {
  private struct Content: Codable {
    var pid: Int32
    var `public`: String
    var `private`: String
  }

  private let path: String

  /// - Parameter data: the store's folder.
  init(_ data: String) {
    path = URL(filePath: data).appending(path: "serve.json").path
  }

  /// The private listener; nil when no server wrote one down.
  var privateListener: ListenAddress? {
    (try? InputFile.bytes(of: path, atMost: 4096)).flatMap(Self.privateListener)
  }

  static func privateListener(in bytes: [UInt8]) -> ListenAddress? {
    (try? JSONDecoder().decode(Content.self, from: Data(bytes))).flatMap { ListenAddress($0.private) }
  }

  /// Replaces the file at once, so that nobody reads half of it. Only its owner may read it.
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

extension Settings {
  /// Where the running server's private listener is: as the command line says, else as the server wrote down, else as it is
  /// configured.
  var runningPrivateListener: ListenAddress {
    if entries.first(where: { $0.key == "private-listen" })?.source == .flag { return receiver.privateListen }
    return ServerAddressFile(receiver.data).privateListener ?? receiver.privateListen
  }
}
