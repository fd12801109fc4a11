import Foundation
import TestSupport
import Testing

@Suite("A store that was lost", .timeLimit(.minutes(5)))
struct NewStoreTests {
  /// Everything that would say that somebody is not revoked.
  private static let questions = [
    "GET /v1/sessions/\(DeliveryTests.session)", "GET /v1/forward-auth", "GET /v1/revocations", "GET /readyz",
  ]

  private func ask(_ question: String, _ server: RunningServer) throws -> Answer {
    try server.answer(
      to: "\(question) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Session-Id: \(DeliveryTests.session)\r\n\r\n",
      on: server.privateAddress)
  }

  @Test func `answers nobody until everything of the retention was fetched, also after a restart`() throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    try FileManager.default.removeItem(atPath: folder.data)
    // What the lost store had got, what it never got, and what is older than anybody can be signed in for.
    let delivered = try dynamic.revoke(
      50, asMessages: true, isListed: false, isDelivered: true, secondsAgo: 20 * 86_400)
    let failed = try dynamic.revoke(50, asMessages: true, isListed: false, secondsAgo: 29 * 86_400)
    let skipped = try dynamic.revoke(50, asMessages: false, secondsAgo: 10 * 86_400)
    let ended = try dynamic.revoke(5, asMessages: true, secondsAgo: 35 * 86_400)
    let before = Int64(Date().timeIntervalSince1970)
    dynamic.change { $0.fault = { $0.path.hasSuffix("/events") ? StandInResponse(503, "busy") : nil } }
    for _ in 0..<2 {
      let server = try dynamic.server(in: folder)
      #expect(server.log.wait { $0.contains("Dynamic's API cannot answer now (503)") })
      for question in Self.questions {
        let answer = try ask(question, server)
        #expect(answer.status == 503, "\(question)")
        #expect(answer.field("X-Revoked-Reason") == "unfit", "\(question)")
        if !question.contains("forward-auth") {
          #expect(answer.body.contains("catching up with Dynamic"), "\(question)")
          #expect(answer.body.contains("pages read"), "\(question)")
        }
      }
      // Deliveries are taken meanwhile, and make it no old store.
      let body = DeliveryTests.event(session: DeliveryTests.session)
      #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
      server.signal(SIGTERM)
      #expect(server.exit() == 0)
    }
    let server = try dynamic.server(in: folder)
    dynamic.change { $0.fault = nil }
    #expect(server.log.wait { $0.contains("the new store has caught up with Dynamic") })
    #expect(try ask("GET /readyz", server).status == 200)
    #expect(try ask(Self.questions[0], server).body.contains(#""revoked":true"#))
    #expect(try ask("GET /v1/forward-auth", server).status == 401)
    #expect(try server.refused(delivered + failed + skipped) == 150)
    #expect(try server.refused(ended) == 0)
    let checked = try #require(try server.metric("revoked_dynamic_checked_timestamp_seconds"))
    #expect(Int64(checked) >= before)
  }

  @Test func `is known as new where revoked init made it, and not where Dynamic is not asked`() throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    #expect(try Executable.run(["init"], environment: ["REVOKED_DATA": folder.data]).status == 0)
    dynamic.change { $0.fault = { _ in StandInResponse(503, "") } }
    let server = try dynamic.server(in: folder)
    #expect(try server.get("/readyz").status == 503)
    // Neither without a token, nor where it is never to be asked.
    for missing in [["DYNAMIC_API_TOKEN"], ["REVOKED_DYNAMIC_CHECK_EVERY"]] {
      var settings = dynamic.settings
      for name in missing { settings[name] = name.hasSuffix("EVERY") ? "0s" : nil }
      let other = try RunningServer(in: TemporaryFolder(), environment: settings)
      #expect(try other.get("/readyz").status == 200)
      #expect(try other.get("/v1/sessions/\(DeliveryTests.session)").status == 200)
      #expect(try !other.get("/metrics").body.contains("revoked_dynamic"))
    }
  }
}
