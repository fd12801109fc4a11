import Dispatch
import Foundation
import TestSupport
import Testing

@Suite("Dynamic's API in trouble", .timeLimit(.minutes(5)))
struct APITroubleTests {
  private static let line = "looking after the webhook at Dynamic failed"

  struct Trouble: Sendable, CustomStringConvertible {
    let says: String
    let fault: @Sendable (StandInRequest) -> StandInResponse?

    init(says: String, _ fault: @escaping @Sendable (StandInRequest) -> StandInResponse?) {
      self.says = says
      self.fault = fault
    }

    var description: String { says }
  }

  private static let elsewhere = "99999999-2222-4333-8444-555555555555"

  private static let troubles = [
    Trouble(says: "Dynamic does not accept the API token (401): expired") { _ in
      StandInResponse(401, #"{"error":"expired"}"#)
    },
    Trouble(says: "the token lacks environment.events.read") { request in
      if request.path.hasSuffix("/tokens/me") {
        return StandInResponse(200, #"{"token":{"scopes":["environment.webhooks.read"]}}"#)
      }
      return request.path.hasSuffix("/events") ? StandInResponse(403, #"{"error":{"code":"scope"}}"#) : nil
    },
    Trouble(says: "the API token is of environment \(elsewhere)") { request in
      request.path.hasSuffix("/tokens/me")
        ? StandInResponse(200, #"{"token":{"projectEnvironmentId":"\#(elsewhere)"}}"#) : nil
    },
    Trouble(says: "limits how often it is called (429)") { _ in
      StandInResponse(429, "<html>slow down</html>", fields: ["Content-Type: text/html"])
    },
    Trouble(says: "a page whose data is no list") { _ in StandInResponse(200, #"{"data":{"webhookId":7}}"#) },
    Trouble(says: "a page that is no JSON object") { _ in StandInResponse(200, "<html>welcome</html>") },
    Trouble(says: "is not reachable") { _ in
      StandInResponse(raw: "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{\"data\":[")
    },
  ]

  @Test func `is said once, costs nothing else, and is over by itself`() async throws {
    try await together(Self.troubles, Self.isSaidOnce)
  }

  private static func isSaidOnce(_ trouble: Trouble) throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    dynamic.change { $0.fault = trouble.fault }
    let server = try dynamic.server(in: folder)
    #expect(server.log.wait { $0.contains(line) && $0.contains(trouble.says) })
    try expectFit(server)
    #expect(try eventually { try (server.metric("revoked_dynamic_errors_total") ?? 0) >= 2 })
    #expect(server.count(inLog: line) == 1)
    let revoked = try dynamic.revoke(5, asMessages: true)
    dynamic.change { $0.fault = nil }
    #expect(server.log.wait { $0.contains("looking after the webhook at Dynamic works again") })
    #expect(try server.refused(revoked) == 5)
    #expect(!server.log.text.contains(dynamic.state.token))
  }

  @Test func `that hangs is given up and said, and nobody waits for it`() throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    let hanging = DispatchSemaphore(value: 0)
    dynamic.change {
      $0.fault = { _ in
        _ = hanging.wait(timeout: .now() + 60)
        hanging.signal()
        return nil
      }
    }
    let server = try dynamic.server(in: folder)
    try Self.expectFit(server)
    #expect(server.log.wait { $0.contains(Self.line) && $0.contains("is not reachable") })
    try Self.expectFit(server)
    dynamic.change { $0.fault = nil }
    hanging.signal()
    #expect(server.log.wait { $0.contains("looking after the webhook at Dynamic works again") })
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
  }

  @Test func `A token that is mended counts with SIGHUP, at once`() throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    let file = try folder.write("dyn_a-token-of-yesterday\n", to: "token")
    var settings = dynamic.settings
    settings["DYNAMIC_API_TOKEN"] = nil
    settings["DYNAMIC_API_TOKEN_FILE"] = file
    settings["REVOKED_DYNAMIC_CHECK_EVERY"] = "1h"
    let server = try RunningServer(in: folder, environment: settings)
    #expect(server.log.wait { $0.contains("Dynamic does not accept the API token (401)") })
    // A store without anything does not know who is revoked.
    #expect(try server.get("/readyz").status == 503)
    _ = try folder.write("\(dynamic.state.token)\n", to: "token")
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.contains("the new store has caught up with Dynamic") })
    #expect(try server.get("/readyz").status == 200)
  }

  /// Deliveries and look-ups go on.
  private static func expectFit(_ server: RunningServer) throws {
    #expect(try server.get("/readyz").status == 200)
    let body = DeliveryTests.event(session: DeliveryTests.session, eventId: UUID().uuidString.lowercased())
    #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
    #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
  }
}
