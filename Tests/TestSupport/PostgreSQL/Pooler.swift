internal import Foundation
internal import Glibc

/// PgBouncer in front of a server of a test's own, ended with its last reference.
package final class Pooler: Sendable {
  package let port: UInt16
  private let folder: TemporaryFolder
  private let process = Process()

  /// - Parameter mode: `session`, `transaction` or `statement`.
  package init(before server: PostgreSQLServer, mode: String) throws {
    folder = try TemporaryFolder()
    port = try PostgreSQLServer.freePort()
    let settings = try folder.write(
      """
      [databases]
      * = host=127.0.0.1 port=\(server.port) user=postgres
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = \(port)
      unix_socket_dir =
      auth_type = any
      pool_mode = \(mode)
      """, to: "pgbouncer.ini")
    let command = PostgreSQLServer.asUser(["/usr/sbin/pgbouncer", settings])
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }

  deinit {
    // It has SIGTERM blocked, as the thread that started it has.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
