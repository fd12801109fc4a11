internal import Foundation

/// A certificate authority for one test, and a server's certificate of it for `localhost`.
package final class ThrowawayAuthority: Sendable {
  private let folder: TemporaryFolder

  package struct Failure: Error {}

  package init() throws {
    folder = try TemporaryFolder()
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=an authority of a test", "-keyout", "ca.key", "-out", "ca.crt")
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
      "-keyout", "server.key", "-out", "server.csr")
    _ = try folder.write("subjectAltName=DNS:localhost", to: "names")
    try openssl(
      "x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
      "-extfile", "names", "-out", "server.crt")
  }

  /// Where `server.crt` and `server.key` are.
  package var path: String { folder.path }

  package var certificate: String { folder.path + "/ca.crt" }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure() }
  }
}
