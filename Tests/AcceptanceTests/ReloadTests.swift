import Foundation
import Signature
import TestSupport
import Testing

@Suite("SIGHUP reads the configuration again")
struct ReloadTests {
  static let next = "the-next-secret-of-28-bytes!"

  func signature(_ secret: String) throws -> String {
    SignatureHeader.value(for: try HMACSHA256(key: Secret(secret)).code(for: Vector.ping.body.span))
  }

  @Test("new secrets count at once, without a restart and without a 401 for the old one while both are listed")
  func rotation() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("# one a line\n\(Executable.secret)\n", to: "secrets")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file])
    #expect(try server.post(Vector.ping.text, signature: signature(Self.next)).status == 401)
    _ = try folder.write("\(Executable.secret)\n\(Self.next)\n", to: "secrets")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("reloaded the secrets") })
    #expect(try server.post(Vector.ping.text, signature: signature(Self.next)).status == 200)
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    _ = try folder.write("\(Self.next)\n", to: "secrets")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.components(separatedBy: "reloaded the secrets").count == 3 })
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 401)
  }

  @Test("a configuration that is broken by then changes nothing, and the log says why")
  func broken() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(Executable.secret, to: "secrets")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file])
    _ = try folder.write("short", to: "secrets")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("not reloaded: secrets") })
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    #expect(!server.log.text.contains("short\n"))
  }
}
