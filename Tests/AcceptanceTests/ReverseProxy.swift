import Foundation
import HTTPServer
import TestSupport
import Testing

/// nginx or HAProxy as a child in the foreground, in front of a receiver, speaking plain HTTP on both sides: what it
/// makes of a request is what the receiver gets, without a buffer that would even it out.
final class ReverseProxy {
  /// No delayed acknowledgement here: a request may come in several small pieces at full speed.
  let local: ListenAddress
  /// Where a client can end with a RST.
  let tcp: ListenAddress
  private let port: ReservedPort
  private let folder: TemporaryFolder
  private let process: Process
  private let log: LogReader

  /// - Parameters:
  ///   - arguments: What stands before the configuration's path.
  ///   - configuration: Its text, for the path of the socket and the port of 127.0.0.1 to listen on.
  init(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder,
    configuration: (_ socket: String, _ port: UInt16) -> String
  ) throws {
    self.folder = folder
    port = try ReservedPort()
    local = .unix(path: folder.path + "/proxy.sock")
    tcp = .tcp(host: "127.0.0.1", port: port.number)
    let text = configuration(folder.path + "/proxy.sock", port.number)
    process = Executable.process(arguments + [try folder.write(text, to: "proxy.conf")], [:])
    process.executableURL = URL(filePath: program)
    process.standardOutput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    log = LogReader(pipe.fileHandleForReading)
    let listens = eventually {
      !process.isRunning || ((try? Client(local)) != nil && (try? Client(tcp)) != nil)
    }
    try #require(listens && process.isRunning, "\(log.text)")
  }

  deinit {
    // Nothing that a child inherits from a test's thread, such as a blocked SIGTERM, can keep this from ending it.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
