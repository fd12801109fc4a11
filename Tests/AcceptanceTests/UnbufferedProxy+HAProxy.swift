import Foundation
import HTTPServer
import TestSupport

extension UnbufferedProxy {
  private static let haproxyPath = "/usr/sbin/haproxy"

  static var hasHAProxy: Bool { FileManager.default.isExecutableFile(atPath: haproxyPath) }

  /// Passes each piece of a body on as it comes, which is its default, and keeps its connections to the receiver.
  static func haproxy(in folder: TemporaryFolder, to upstream: ListenAddress) throws -> UnbufferedProxy {
    try UnbufferedProxy(haproxyPath, ["-db", "-f"], in: folder) { socket, port in
      """
      global
        maxconn 1024
      defaults
        mode http
        option http-keep-alive
        timeout connect 5s
        timeout client 60s
        timeout server 60s
      frontend public
        bind unix@\(socket)
        bind 127.0.0.1:\(port)
        default_backend revoked
      backend revoked
        server receiver \(upstream)

      """
    }
  }
}
