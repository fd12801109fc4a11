import Foundation
import HTTPServer
import TestSupport

/// nginx or HAProxy in front of a receiver, speaking plain HTTP on both sides: what it makes of a request is what the
/// receiver gets, without a buffer that would even it out.
struct UnbufferedProxy {
  /// No delayed acknowledgement here: a request may come in several small pieces at full speed.
  let local: ListenAddress
  /// Where a client can end with a RST.
  let tcp: ListenAddress
  private let proxy: ReverseProxy

  /// - Parameters:
  ///   - arguments: What stands before the configuration's path.
  ///   - configuration: Its text, for the path of the socket and the port of 127.0.0.1 to listen on.
  init(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder,
    configuration: (_ socket: String, _ port: UInt16) -> String
  ) throws {
    let reserved = try ReservedPort()
    local = .unix(path: folder.path + "/proxy.sock")
    tcp = .tcp(host: "127.0.0.1", port: reserved.number)
    let text = configuration(folder.path + "/proxy.sock", reserved.number)
    proxy = try ReverseProxy(
      program, arguments + [try folder.write(text, to: "proxy.conf")], in: folder, on: reserved, alsoAt: [local])
  }
}
