import Foundation
import TestSupport
import Testing

/// Whatever ends the process while attempts run must not do so at every start.
@Suite("A handler that ends the server", .timeLimit(.minutes(3)))
struct CrashTests {
  @Test
  func
    `ends it three times at most: then its event is a dead letter; others are delivered, look-ups answered meanwhile`()
    throws
  {
    let folder = try TemporaryFolder()
    let delivered = try folder.write("", to: "delivered")
    let script = #"""
      case "$REVOKED_EVENT_ID" in poison)
        # Not before everything of this life is answered.
        while [ ! -e "$0.sent" ]; do sleep 0.02; done
        kill -9 $PPID; sleep 1000;;
      esac
      echo "$REVOKED_EVENT_ID" >> "$0"
      """#
    let command = String(decoding: try JSONEncoder().encode(["/bin/sh", "-c", script, delivered]), as: UTF8.self)
    let settings = [
      "REVOKED_HANDLERS_RUN_KIND": "exec", "REVOKED_HANDLERS_RUN_COMMAND": command,
      "REVOKED_HANDLERS_RUN_CONCURRENCY": "4", "REVOKED_HANDLERS_WRITE_KIND": "log",
    ]
    var sent: Set<String> = []
    func send(_ id: String, to server: RunningServer) throws {
      let body = DeliveryTests.event(session: DeliveryTests.session, eventId: id)
      #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
      sent.insert(id)
    }
    for life in 1...3 {
      let server = try RunningServer(in: folder, environment: settings)
      // From the second on handlers begin a second later, and the poisonous event behind the others.
      if life > 1 { #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#)) }
      for number in 1...5 { try send("\(life)-\(number)", to: server) }
      #expect(try server.metric("revoked_unclean_starts_total") == Double(life - 1))
      if life == 1 {
        #expect(try eventually { try ids(delivered).count == 5 })
        try send("poison", to: server)
      }
      let gate = try folder.write("", to: "delivered.sent")
      #expect(server.exit() == SIGKILL)
      try FileManager.default.removeItem(atPath: gate)
    }
    let server = try RunningServer(in: folder, environment: settings)
    try send("last", to: server)
    #expect(try eventually { try server.metric(#"revoked_dead_letters{handler="run"}"#) == 1 })
    #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="run"}"#) == 0 })
    #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="write"}"#) == 0 })
    #expect(try server.metric(#"revoked_dead_letters{handler="write"}"#) == 0)
    #expect(try server.metric("revoked_unclean_starts_total") == 3)
    #expect(try ids(delivered) == sent.subtracting(["poison"]))
    let dead = try Executable.run("dead", "list", "--data", folder.data)
    #expect(dead.output.contains("the process ended 3 times while this was attempted"))
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
    // A stop is no such end.
    let after = try RunningServer(in: folder, environment: settings)
    #expect(try after.metric("revoked_unclean_starts_total") == 3)
  }

  private func ids(_ path: String) throws -> Set<String> {
    Set(try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n").map(String.init))
  }
}
