import Foundation
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// At least once, against SIGKILL while handlers run that succeed, fail and refuse at random.
@Suite("A server that is killed while its handlers run", .serialized, .timeLimit(.minutes(5)))
struct HandlerKillTests {
  /// The exit status of an attempt that comes again.
  static let retried = 1
  private static let refused = 78
  private static let maxAttempts = 3
  private static let rounds = LongRun.isAsked ? 300 : 30
  /// Which digit of an event's id decides about a handler's first attempt, and how many it makes at the same time.
  private static let handlers = ["single": (digit: 1, concurrency: 1), "many": (digit: 9, concurrency: 4)]

  @Test
  func
    `brings every event to every handler to exactly one end, done or a dead letter, and never twice at the same time`()
    throws
  {
    var random = SplitMix(seed: LongRun.seed(for: "handlers"))
    let folder = try TemporaryFolder()
    for name in Self.handlers.keys { _ = try folder.write("", to: name) }
    var acknowledged: Set<String> = []
    for life in 1...Self.rounds {
      let server = try RunningServer(in: folder, environment: Self.settings(folder, life))
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        acknowledged.insert(try Self.send(random.next(), to: server))
      }
      // From before the first child has begun to after the last has ended.
      let pid = server.processIdentifier
      let delay = DispatchTimeInterval.microseconds(.random(in: 0...60_000, using: &random))
      DispatchQueue.global().asyncAfter(deadline: .now() + delay) { Foundation.kill(pid, SIGKILL) }
      #expect(server.exit() == SIGKILL)
      // Or the next one's handlers would begin a second later, and later still. The last one has it.
      if life < Self.rounds { try FileManager.default.removeItem(atPath: "\(folder.data)/attempts") }
    }
    try Self.finish(folder, life: Self.rounds + 1)
    let dead = try Self.deadLetters(folder)
    var attempts = 0
    for name in Self.handlers.keys {
      let log = try Self.log(folder, name)
      #expect(log.faults == [])
      #expect(log.events == acknowledged)
      // The last attempt of each decides, and a row stands for what it decided against.
      let given = acknowledged.filter { log.last($0) != 0 }
      #expect(Set(dead[name, default: [:]].keys) == given)
      for (event, count) in dead[name, default: [:]] where log.last(event) != Self.refused {
        #expect(count >= Self.maxAttempts, "\(event) was given up early")
      }
      attempts += log.attempts.values.reduce(0) { $0 + $1.count }
    }
    // What has come to its end stays there.
    let marker = try Self.finish(folder, life: Self.rounds + 2, sending: .max)
    for name in Self.handlers.keys {
      let late = try Self.log(folder, name).attempts.filter { $0.value.contains { $0.life == Self.rounds + 2 } }
      #expect(Array(late.keys) == [marker])
    }
    #expect(try Self.deadLetters(folder) == dead)
    print(
      "handlers: \(Self.rounds) rounds, \(acknowledged.count) events, \(attempts) attempts, "
        + "\(dead.values.reduce(0) { $0 + $1.count }) dead letters")
  }

  /// Lets a server do what is left, and ends it. Answers the id of the event that it got.
  @discardableResult private static func finish(
    _ folder: TemporaryFolder, life: Int, sending number: UInt64? = nil
  ) throws -> String? {
    let server = try RunningServer(in: folder, environment: settings(folder, life))
    let id = try number.map { try send($0, to: server) }
    for name in handlers.keys {
      #expect(try eventually { try server.metric("revoked_deliveries_pending{handler=\"\(name)\"}") == 0 })
      // Commands of servers that were killed; those of the last such server were killed by this one.
      #expect(try eventually { try log(folder, name).isComplete(butFor: rounds) })
    }
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
    return id
  }

  /// Answers the event's id: sixteen digits, each of which decides about an attempt.
  private static func send(_ number: UInt64, to server: RunningServer) throws -> String {
    let digits = String(number, radix: 16)
    let sent = Load.Sent(eventID: String(repeating: "0", count: 16 - digits.count) + digits)
    let client = try Client(server.address)
    client.send(try Load.request(sent))
    try #require(client.read(until: "}").hasSuffix(#"{"status":"accepted"}"#))
    return sent.eventID
  }

  private static func settings(_ folder: TemporaryFolder, _ life: Int) -> [String: String] {
    // The first attempt looks at one digit of the event's id, the next one at the next.
    let script = """
      number=$(grep -c "begin $REVOKED_EVENT_ID" "$0")
      echo "$1 begin $REVOKED_EVENT_ID" >> "$0"
      case $(echo "$REVOKED_EVENT_ID" | cut -c $((number + $2))) in
        [0-7]) status=\(retried);;
        8) status=\(refused);;
        *) status=0;;
      esac
      echo "$1 end $REVOKED_EVENT_ID $status" >> "$0"
      exit $status
      """
    var settings = ["REVOKED_LOG_LEVEL": "critical"]
    for (name, (digit, concurrency)) in handlers {
      let command = try? JSONEncoder().encode([
        "/bin/sh", "-c", script, "\(folder.path)/\(name)", "\(life)", "\(digit)",
      ])
      let key = "REVOKED_HANDLERS_\(name.uppercased())"
      settings["\(key)_KIND"] = "exec"
      settings["\(key)_COMMAND"] = String(decoding: command ?? Data(), as: UTF8.self)
      settings["\(key)_CONCURRENCY"] = "\(concurrency)"
      settings["\(key)_MAX_ATTEMPTS"] = "\(maxAttempts)"
    }
    return settings
  }

  private static func log(_ folder: TemporaryFolder, _ name: String) throws -> AttemptLog {
    AttemptLog(try String(contentsOf: URL(filePath: "\(folder.path)/\(name)"), encoding: .utf8))
  }

  /// By handler, the ids of its dead letters and how many attempts each had. No other rows are left.
  private static func deadLetters(_ folder: TemporaryFolder) throws -> [String: [String: Int]] {
    let store = try RevocationStore(data: folder.data, mode: .inspect)
    let rows = try store.read { db in
      try db.all(
        """
        SELECT h.name, d.next_at, d.attempts, e.body FROM delivery d
        JOIN handler h ON h.id = d.handler_id JOIN event e ON e.seq = d.event_seq
        """
      ) { row in
        try (name: row.text(0), next: row.integerIfAny(1), attempts: Int(row.integer(2)), body: Data(row.blob(3)))
      }
    }
    var found: [String: [String: Int]] = [:]
    for row in rows {
      try #require(row.next == nil, "a row that is no dead letter")
      found[row.name, default: [:]][try JSONDecoder().decode(Identified.self, from: row.body).eventId] = row.attempts
    }
    return found
  }

  private struct Identified: Decodable {
    let eventId: String
  }
}
