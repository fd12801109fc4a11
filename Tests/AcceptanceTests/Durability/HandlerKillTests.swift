import Foundation
import GRDB
import TestSupport
import Testing

@testable import RevocationStore

/// At least once, against SIGKILL while handlers run.
@Suite("A server that is killed while its handlers run", .serialized, .timeLimit(.minutes(5)))
struct HandlerKillTests {
  private static let rounds = LongRun.isAsked ? 300 : 30

  @Test("brings every event to every handler, or to its dead letters, and never to both")
  func kill() throws {
    var random = SplitMix(seed: LongRun.seed(for: "handlers"))
    let folder = try TemporaryFolder()
    let settings = Self.settings(folder)
    var acknowledged: Set<String> = []
    for round in 0..<Self.rounds {
      let server = try RunningServer(in: folder, environment: settings)
      let client = try Client(server.address)
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        let sent = Load.Sent()
        client.send(try Load.request(sent))
        try #require(client.read(until: "}").hasSuffix(#"{"status":"accepted"}"#), "round \(round)")
        acknowledged.insert(sent.eventID)
      }
      // From before the first child has begun to after the last has ended.
      let pid = server.processIdentifier
      let delay = DispatchTimeInterval.microseconds(.random(in: 0...30_000, using: &random))
      DispatchQueue.global().asyncAfter(deadline: .now() + delay) { Foundation.kill(pid, SIGKILL) }
      #expect(server.exit() == SIGKILL)
    }
    let server = try RunningServer(in: folder, environment: settings)
    for handler in ["append", "choosy"] {
      #expect(try eventually { try server.metric("revoked_deliveries_pending{handler=\"\(handler)\"}") == 0 })
    }
    server.signal(SIGTERM)
    #expect(server.exit() == 0)

    let dead = try Self.deadLetters(folder)
    #expect(dead["append"] == nil)
    #expect(try Self.lines(folder, "append") == acknowledged)
    #expect(dead["choosy"] == acknowledged.filter(Self.isRefused))
    #expect(try Self.lines(folder, "choosy") == acknowledged.filter { !Self.isRefused($0) })
    print("handlers: \(Self.rounds) rounds, \(acknowledged.count) events, \(dead["choosy"]?.count ?? 0) dead letters")
  }

  private static func isRefused(_ event: String) -> Bool {
    event.last.map { "0123".contains($0) } == true
  }

  private static func settings(_ folder: TemporaryFolder) -> [String: String] {
    let append = #"echo "$REVOKED_EVENT_ID" >> "$0""#
    let choosy = #"case "$REVOKED_EVENT_ID" in *[0-3]) exit 78;; esac; "# + append
    var settings = ["REVOKED_LOG_LEVEL": "critical"]
    for (name, script) in [("append", append), ("choosy", choosy)] {
      let command = try? JSONEncoder().encode(["/bin/sh", "-c", script, "\(folder.path)/\(name)"])
      settings["REVOKED_HANDLERS_\(name.uppercased())_KIND"] = "exec"
      settings["REVOKED_HANDLERS_\(name.uppercased())_COMMAND"] = String(decoding: command ?? Data(), as: UTF8.self)
    }
    return settings
  }

  /// What a handler wrote; an event may stand there more than once.
  private static func lines(_ folder: TemporaryFolder, _ name: String) throws -> Set<String> {
    let text = try String(contentsOf: URL(filePath: "\(folder.path)/\(name)"), encoding: .utf8)
    return Set(text.split(separator: "\n").map(String.init))
  }

  /// The ids of the dead letters by handler. No other rows are left.
  private static func deadLetters(_ folder: TemporaryFolder) throws -> [String: Set<String>] {
    let store = try RevocationStore(data: folder.data, mode: .inspect)
    let rows = try store.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT h.name AS name, d.next_at AS next, e.body AS body FROM delivery d
          JOIN handler h ON h.id = d.handler_id JOIN event e ON e.seq = d.event_seq
          """)
    }
    var found: [String: Set<String>] = [:]
    for row in rows {
      let next: Int64? = row["next"]
      try #require(next == nil, "a row that is no dead letter")
      let name: String = row["name"]
      let body: Data = row["body"]
      let event = try JSONDecoder().decode(Identified.self, from: body)
      found[name, default: []].insert(event.eventId)
    }
    return found
  }

  private struct Identified: Decodable {
    let eventId: String
  }
}
