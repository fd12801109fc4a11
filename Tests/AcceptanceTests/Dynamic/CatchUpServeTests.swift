import Foundation
import TestSupport
import Testing

@Suite("A server that was down", .timeLimit(.minutes(5)))
struct CatchUpServeTests {
  @Test func `refuses at its first check all who were revoked meanwhile, and its handlers get each once`() async throws
  {
    try await together(StandInDynamic.Ending.allCases, Self.catchesUp)
  }

  private static func catchesUp(ending: StandInDynamic.Ending) throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    dynamic.change { state in
      state.ending = ending
      state.isAscending = ending == .null || ending == .repeated
      state.keepsTexts = ending != .empty
    }
    let revoked =
      try dynamic.revoke(300, asMessages: true, secondsAgo: 1000) + dynamic.revoke(200, asMessages: false)
    let server = try dynamic.server(
      in: folder,
      [
        "REVOKED_HANDLERS_AUDIT_KIND": "log", "REVOKED_HANDLERS_BROKEN_KIND": "exec",
        "REVOKED_HANDLERS_BROKEN_COMMAND": #"["/bin/false"]"#, "REVOKED_HANDLERS_BROKEN_MAX_ATTEMPTS": "1",
        "REVOKED_HANDLERS_BROKEN_CONCURRENCY": "8",
      ])
    // It is no new store, so that it answers from the beginning.
    #expect(try server.get("/readyz").status == 200)
    #expect(server.log.wait { $0.contains("fetched from Dynamic what its webhook did not deliver") })
    #expect(try server.refused(revoked) == 500)
    #expect(try server.metric(#"revoked_recovered_events_total{source="message"}"#) == 300)
    #expect(try server.metric(#"revoked_recovered_events_total{source="event"}"#) == 200)
    let sessions = revoked.map(\.session).sorted()
    #expect(try server.fed().sorted() == sessions)
    // Later checks find them again, and nobody gets them twice.
    let checks = dynamic.count("GET /api/v0/environments/\(StandInDynamic.environment)/events")
    #expect(
      eventually { dynamic.count("GET /api/v0/environments/\(StandInDynamic.environment)/events") > checks + 80 })
    #expect(try eventually { try server.metric(#"revoked_dead_letters{handler="broken"}"#) == 500 })
    #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="audit"}"#) == 0 })
    #expect(eventually { server.handled(by: "audit").count >= 500 })
    #expect(server.handled(by: "audit").sorted() == sessions)
    #expect(try server.metric(#"revoked_deliveries_total{handler="broken",outcome="dead"}"#) == 500)
    #expect(try server.fed().sorted() == sessions)
  }
}
