import Foundation
import Receiver
import TestSupport
import Testing

@Suite("revoked status", .timeLimit(.minutes(3)))
struct StatusTests {
  private func status(_ arguments: String..., in folder: TemporaryFolder, token: String? = nil) throws
    -> Executable.Result
  {
    var environment = ["REVOKED_DATA": folder.data]
    environment["REVOKED_PRIVATE_TOKEN"] = token
    return try Executable.run(["status"] + arguments, environment: environment)
  }

  private func decoded(_ result: Executable.Result) throws -> ServiceStatus {
    try JSONDecoder().decode(ServiceStatus.self, from: Data(result.output.utf8))
  }

  @Test(arguments: [nil, ForwardAuthRecipeTests.token])
  func `shows a server that is ready, on one screen and as JSON`(token: String?) throws {
    let folder = try TemporaryFolder()
    var environment = ["REVOKED_HANDLERS_AUDIT_KIND": "log"]
    environment["REVOKED_PRIVATE_TOKEN"] = token
    let server = try RunningServer(in: folder, environment: environment)
    let before = try decoded(status("--json", in: folder, token: token))
    #expect(before.lastSigned == nil && before.sessions == 0 && before.webhook == nil)
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    #expect(try eventually { try decoded(status("--json", in: folder, token: token)).handlers?.first?.pending == 0 })

    let result = try status("--json", in: folder, token: token)
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").count == 1)
    let shown = try decoded(result)
    #expect(shown.ready && shown.reasons.isEmpty && shown.version == Receiver.version)
    #expect(shown.sessions == 1 && shown.events == 1 && shown.uncleanStarts == 0)
    #expect(shown.lastSigned != nil)
    #expect(shown.handlers?.map(\.handler) == ["audit"] && shown.handlers?.first?.dead == 0)
    #expect(shown.handlers?.first?.oldestPendingSeconds == nil)
    #expect(shown.store.path == folder.database && shown.store.bytes ?? 0 > 4096 && shown.store.freeBytes ?? 0 > 0)
    let route = try server.get("/v1/status", fields: token.map { "X-Revoked-Token: \($0)\r\n" } ?? "")
    #expect(route.status == 200)
    #expect(route.field("X-Revoked-Last-Event") != nil)

    let text = try status(in: folder, token: token)
    #expect(text.status == 0)
    #expect(text.output.hasPrefix("revoked \(Receiver.version): ready\n"))
    for line in [
      "refused        1 session\n", "stored         1 event\n", "handler        audit: 0 pending, 0 dead",
      "store          \(folder.database)", "unclean starts 0", "webhook        not looked after",
    ] {
      #expect(text.output.contains(line), "\(text.output)")
    }
    #expect(text.output.split(separator: "\n").count < 24)
  }

  @Test func `says why it has not heard of Dynamic when an event is stored that send made`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    #expect(try Executable.run("send", "--url", server.address.url + "/webhooks/dynamic").status == 0)
    let text = try status(in: server.folder).output
    #expect(text.contains("from Dynamic   no delivery yet; what `revoked send` makes does not count\n"), "\(text)")
    #expect(text.contains("stored         1 event\n"))
  }

  @Test func `says why a server is not ready, as /readyz does`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    try FileManager.default.removeItem(atPath: folder.database + "-wal")
    let readiness = try server.get("/readyz")
    #expect(readiness.status == 503)
    let result = try status("--json", in: folder)
    #expect(result.status == 1)
    let shown = try decoded(result)
    #expect(!shown.ready)
    #expect(shown.reasons.count == 1 && readiness.body.contains(shown.reasons[0]))
    let text = try status(in: folder)
    #expect(text.status == 1)
    #expect(
      text.output.contains(": not ready\nbecause        \(folder.database) or its log was removed"), "\(text.output)")
  }

  @Test func `says that there is no server, and that the private token is another one`() throws {
    let folder = try TemporaryFolder()
    let missing = try Executable.run(["status", "--private-listen", "unix:\(folder.path)/none.sock"])
    #expect(missing.status == 69)
    #expect(missing.errors.hasPrefix("revoked: no server at unix:\(folder.path)/none.sock: "))
    let server = try RunningServer(
      in: folder, environment: ["REVOKED_PRIVATE_TOKEN": ForwardAuthRecipeTests.token])
    for token in [nil, "another-token-of-22-by"] {
      let refused = try status(in: folder, token: token)
      #expect(refused.status == 1)
      #expect(refused.errors.contains("private-token"))
    }
    #expect(try server.get("/v1/status").status == 401)
  }

  @Test func `of an old event that waits, tells for how long`() throws {
    let store = try SeededStore(events: 1, handler: "stuck", at: 1_790_000_000_000)
    let server = try RunningServer(
      in: store.folder, environment: ["REVOKED_HANDLERS_STUCK_KIND": "exec", "REVOKED_HANDLERS_STUCK_COMMAND": "false"])
    let dead = try decoded(status("--json", in: store.folder)).handlers?.first
    #expect(dead?.dead == 1 && dead?.pending == 0 && dead?.oldestPendingSeconds == nil)
    #expect(try Executable.run(["dead", "replay", "--all", "--data", store.folder.data]).status == 1)
    #expect(
      try eventually {
        let handler = try decoded(status("--json", in: store.folder)).handlers?.first
        return handler?.pending == 1 && (handler?.oldestPendingSeconds ?? 0) > 86_400
      })
    withExtendedLifetime(server) {}
  }
}
