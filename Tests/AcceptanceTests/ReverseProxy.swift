import Foundation
import HTTPServer
import TestSupport
import Testing

/// A proxy as a child in the foreground, on a port of 127.0.0.1 that the kernel picked.
final class ReverseProxy {
  let port: UInt16
  let log: LogReader
  private let reserved: ReservedPort
  private let folder: TemporaryFolder
  private let process: Process

  /// Returns once the proxy takes connections.
  /// - Parameters:
  ///   - alsoAt: Further addresses that it listens on.
  init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: TemporaryFolder,
    on reserved: ReservedPort, alsoAt addresses: [ListenAddress] = []
  ) throws {
    self.folder = folder
    self.reserved = reserved
    port = reserved.number
    process = Executable.process(arguments, environment)
    process.executableURL = URL(filePath: program)
    process.standardOutput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    log = LogReader(pipe.fileHandleForReading)
    let all = [ListenAddress.tcp(host: "127.0.0.1", port: port)] + addresses
    let listens = eventually { !process.isRunning || all.allSatisfy { (try? Client($0)) != nil } }
    try #require(listens && process.isRunning, "\(log.text)")
  }

  deinit {
    // Nothing that a child inherits from a test's thread, such as a blocked SIGTERM, can keep this from ending it.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
