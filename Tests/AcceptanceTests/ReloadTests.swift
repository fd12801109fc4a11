import Foundation
import Signature
import TestSupport
import Testing

@Suite("SIGHUP reads the configuration again", .timeLimit(.minutes(5)))
struct ReloadTests {
  static let next = "the-next-secret-of-28-bytes!"

  func signature(_ secret: String) throws -> String {
    SignatureHeader.value(for: try HMACSHA256(key: Secret(secret)).code(for: Vector.ping.body.span))
  }

  @Test
  func `new secrets count at once, without a restart and without a 401 for the old one while both are listed`() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("# one a line\n\(Executable.secret)\n", to: "secrets")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file])
    // A ping that does not verify is answered all the same, and says so.
    #expect(try server.post(Vector.ping.text, signature: signature(Self.next)).body.contains("unverified"))
    _ = try folder.write("\(Executable.secret)\n\(Self.next)\n", to: "secrets")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("reloaded the secrets") })
    #expect(try server.post(Vector.ping.text, signature: signature(Self.next)).body.contains("pong"))
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).body.contains("pong"))
    _ = try folder.write("\(Self.next)\n", to: "secrets")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.components(separatedBy: "reloaded the secrets").count == 3 })
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).body.contains("unverified"))
  }

  private func configure(_ folder: TemporaryFolder, _ text: String) throws -> String {
    try folder.write(text, to: "revoked.yaml")
  }

  /// A handler that appends a line to a file of its name.
  private func handler(_ name: String, _ folder: TemporaryFolder, says: String) -> String {
    """
    handlers.\(name):
      kind: exec
      command: [/bin/sh, -c, 'echo "\(says) $REVOKED_EVENT_ID" >> "$0"', "\(folder.path)/\(name)"]

    """
  }

  private func revoke(_ id: String, _ server: RunningServer) throws {
    let body = DeliveryTests.event(session: DeliveryTests.session, eventId: id)
    #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
  }

  private func says(_ name: String, _ folder: TemporaryFolder, _ text: String) -> Bool {
    eventually { (try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)) == text }
  }

  @Test
  func
    `handlers change, come and go where they stand; a broken configuration changes nothing; the rest takes a restart`()
    throws
  {
    let folder = try TemporaryFolder()
    let file = try configure(folder, handler("a", folder, says: "old"))
    let server = try RunningServer(in: folder, arguments: ["--config", file])
    try revoke("1", server)
    #expect(says("a", folder, "old 1\n"))

    _ = try configure(folder, "handlers.a: {kind: nonsense}\nlog.level: debug")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("not reloaded: handlers.a.kind") })
    try revoke("2", server)
    #expect(says("a", folder, "old 1\nold 2\n"))

    _ = try configure(
      folder,
      handler("a", folder, says: "new") + handler("b", folder, says: "b")
        + "path: /elsewhere\nprivate-token: a-token-of-22-bytes-xx\n")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("reloaded the secrets, the handlers and the log level") })
    #expect(server.log.wait { $0.contains(#""keys":"private-token, path""#) })
    try revoke("3", server)
    #expect(says("a", folder, "old 1\nold 2\nnew 3\n"))
    #expect(says("b", folder, "b 3\n"))

    _ = try configure(folder, handler("b", folder, says: "b"))
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.components(separatedBy: "reloaded the secrets").count == 3 })
    try revoke("4", server)
    #expect(says("b", folder, "b 3\nb 4\n"))
    #expect(says("a", folder, "old 1\nold 2\nnew 3\n"))
    #expect(!server.log.text.contains("a-token"))
  }

  @Test func `a configuration that is broken by then changes nothing, and the log says why`() throws {
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
