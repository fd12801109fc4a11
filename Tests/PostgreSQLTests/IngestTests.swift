#if PostgreSQL
  import DynamicEvents
  import Foundation
  import Storage
  import TestSupport
  import Testing

  @testable import PostgreSQL
  @testable import PostgreSQLStore

  @Suite(.timeLimit(.minutes(3))) struct IngestTests {
    private static let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'revoked'"

    let database: TestDatabase
    let store: PostgreSQLStore

    init() throws {
      database = try TestDatabase()
      store = try database.open()
    }

    @Test func `each kind of event gets its outcome, and is counted`() throws {
      #expect(
        try store.append([.other(1), .revoking(2), .undecodable(3), .other(1)])
          == [.accepted, .accepted, .undecodable, .duplicate])
      #expect(try store.append([.revoking(2), .undecodable(3)]) == [.duplicate, .undecodable])
      let tally = try store.tally()
      #expect(tally.events == 3)
      #expect(tally.revocations == 1)
      #expect(tally.undecodable == 1)
      #expect(tally.lastEvent == 3)
      #expect(tally.lastReceivedAt == time(2000))
    }

    @Test func `numbers follow the order of the commits, and none is given out twice`() throws {
      try store.append([.revoking(1), .revoking(2)])
      try store.append([.revoking(1), .revoking(3), .revoking(2), .revoking(4)])
      try store.append([.revoking(4)])
      try store.append([.revoking(5)])
      #expect(try database.run("SELECT string_agg(seq::text, ',' ORDER BY seq) FROM revoked.event") == "1,2,4,6,7")
      #expect(store.lastRevocation == 7)
      let page = try store.feed(after: 0, limit: 100, at: time(2000))
      #expect(page.entries.map(\.cursor.seq) == page.entries.map(\.cursor.seq).sorted())
      #expect(page.entries.count == 5)
    }

    @Test func `a session is remembered for the longest that its events say, with the first one's words`() throws {
      try store.append([.revoking(1, event: 1, revokedAt: 1000)])
      let day: Int64 = 86_400_000
      try store.append([
        .revoking(1, event: 2, revokedAt: 9000, createdAt: nil, receivedAt: 60 * day), .revoking(1, event: 3),
      ])
      let revocation = try #require(try store.revocations(ofEach: [session(1)])[0])
      #expect(revocation.revokedAt == time(1000))
      #expect(revocation.eventID == "event-1")
      #expect(try store.feed(after: 0, limit: 10, at: time(2000)).entries.count == 1)
      #expect(try store.tally().lastRevocation == 2)
    }

    @Test func `one event's id with two sessions revokes both`() throws {
      try store.append([.revoking(1, event: 9)])
      #expect(try store.append([.revoking(2, event: 9), .revoking(3, event: 9)]) == [.duplicate, .duplicate])
      let found = try store.revocations(ofEach: [session(1), session(2), session(3), session(4)])
      #expect(found.map { $0 != nil } == [true, true, true, false])
      #expect(try store.event(revoking: session(3)) == 1)
    }

    @Test func `messages of an event are noted once each, in one batch or in many`() throws {
      try store.append([.revoking(1, message: "a"), .revoking(1, message: "b"), .revoking(1, message: "a")])
      try store.append([.revoking(1, message: "c"), .revoking(1, message: "b")])
      #expect(try store.event(1)?.messageIDs == ["a", "b", "c"])
    }

    @Test func `texts that PostgreSQL cannot hold are stored all the same`() throws {
      var event = try IncomingEvent.other(1)
      event.kind = .other(name: "user.\0created")
      #expect(try store.append([event, .revoking(2)]) == [.accepted, .accepted])
      #expect(try store.event(1)?.name == "user.\u{FFFD}created")
    }

    @Test func `more than one call takes is stored by several`() throws {
      let events = try (1...1300).map { try IncomingEvent.revoking(UInt64($0)) }
      #expect(try store.append(events) == [AppendOutcome](repeating: .accepted, count: 1300))
      let large = [UInt8](repeating: 65, count: 3 << 20)
      #expect(
        try store.append((2001...2004).map { try IncomingEvent.other($0, body: large) })
          == [AppendOutcome](repeating: .accepted, count: 4))
    }

    @Test func `eight nodes that append the same events accept each one once`() throws {
      let stores = try (0..<8).map { _ in try database.open() }
      let counts = Counter()
      DispatchQueue.concurrentPerform(iterations: 8) { index in
        for round in 0..<10 {
          let numbers = (1...40).map { UInt64(round * 40 + $0) }.shuffled()
          do {
            let outcomes = try stores[index].append(numbers.map { try IncomingEvent.revoking($0) })
            counts.add(accepted: outcomes.count { $0 == .accepted })
          } catch {
            counts.add(failure: "\(error)")
          }
        }
      }
      #expect(counts.failures == [])
      #expect(counts.accepted == 400)
      let page = try store.feed(after: 0, limit: 1000, at: time(2000))
      #expect(page.entries.count == 400)
    }

    @Test func `a role with commits turned asynchronous commits synchronously here`() throws {
      try database.run(
        "CREATE TABLE seen (value text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          + "INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; "
          + "CREATE TRIGGER note AFTER INSERT ON revoked.event FOR EACH STATEMENT EXECUTE FUNCTION note(); "
          + "ALTER TABLE seen OWNER TO postgres; ALTER DATABASE \(database.name) SET synchronous_commit = off")
      try database.run(
        "SET search_path = public; SET synchronous_commit = off; SELECT revoked.append_1("
          + "ARRAY['00000000-0000-0000-0000-000000000001'::uuid], ARRAY['webhook'], ARRAY['x'], ARRAY[NULL], "
          + "ARRAY[''], ARRAY[1], ARRAY[1], ARRAY['x'::bytea], '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', "
          + "'{}', '{}', '{}', '{}', '{}', NULL)")
      #expect(try database.run("SELECT value FROM seen") == "on")
    }

    @Test func `appends leave no old versions of rows behind while somebody keeps an old state open`() throws {
      let dump = try Connection(ConnectionURL(database.url), application: "test", patience: .seconds(10))
      try dump.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", until: .after(.seconds(10)))
      for number in UInt64(1)...400 { try store.append([.revoking(number), .other(1000 + number)]) }
      // A row of these that each append changed would take pages by now.
      let largest = try database.run(
        """
        SELECT max(pg_relation_size(pg_class.oid)) FROM pg_class
        WHERE relnamespace = 'revoked'::regnamespace AND relkind = 'r' AND relname NOT IN ('event', 'revocation')
        """)
      #expect(largest == "8192")
      dump.close()
    }

    @Test func `no plan of a time when the tables were empty reads them as a whole once they are large`() throws {
      let server = try PostgreSQLServer(settings: ["autovacuum=off"])
      let database = try TestDatabase(on: server)
      func work() throws {
        let store = try database.open()
        let loop = try LookUpLoop(store)
        // Every statement of appends, look-ups and handlers is planned here, the latter's with a plan that stays.
        try store.append([.revoking(1, message: "a"), .other(2)])
        try store.append([.revoking(1, message: "b"), .revoking(3)])
        #expect(try loop.first([session(1)]) == [session(1)])
        for _ in 0..<8 {
          #expect(try store.events(after: 0, limit: 64, bytes: 1 << 20, handler: nil).events.count == 3)
        }
        for start in stride(from: UInt64(1000), to: 5000, by: 400) {
          try store.append((start..<start + 400).map { try .revoking($0) })
        }
        for number in UInt64(1000)..<1100 {
          #expect(try store.append([.revoking(number, message: "c")]) == [.duplicate])
          #expect(try loop.first([session(number)]) == [session(number)])
        }
        for position in stride(from: Int64(0), to: 4000, by: 100) {
          _ = try store.events(after: position, limit: 64, bytes: 1 << 20, handler: nil)
        }
        try store.close()
      }
      try work()
      // A connection's counts are known once it has ended.
      try #require(eventually { try database.run(Self.connections) == "0" })
      let read = try database.run(
        """
        SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('event', 'revocation'))
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('event', 'revocation'))
        """)
      // Of 4000 rows, of which handlers were given 2560.
      #expect(try #require(Int(read)) < 16_000)
    }

    @Test func `events that come again and pruning read their own deliveries, however many dead ones there are`() throws
    {
      let server = try PostgreSQLServer(settings: ["autovacuum=off"])
      let database = try TestDatabase(on: server)
      let day: Int64 = 86_400_000
      func work() throws {
        let store = try database.open()
        _ = try store.claim("log", patterns: ["*"], at: time(1))
        // Planned while nothing is dead.
        try store.append((UInt64(1)...50).map { try .other($0) })
        try store.append((UInt64(1)...50).map { try .other($0) })
        try database.run(
          """
          UPDATE revoked.handler SET position = 1000000;
          INSERT INTO revoked.delivery (handler_id, event_seq, attempts, attempted_at, last_error)
            SELECT id, n, 20, 1, 'x' FROM revoked.handler, generate_series(41, 20000) AS n
          """)
        #expect(try store.append((UInt64(31)...50).map { try .other($0) }) == Array(repeating: .duplicate, count: 20))
        var step: PruneStep? = .first
        while let next = step { step = try store.prune(next, at: time(200 * day), handlers: ["log"]) }
        #expect(try database.run("SELECT count(*) FROM revoked.event") == "10")
        #expect(try database.run("SELECT retrying, dead FROM revoked.handler") == "10|19950")
        try store.close()
      }
      try work()
      try #require(eventually { try database.run(Self.connections) == "0" })
      let read = try database.run(
        """
        SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = 'delivery')
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'delivery')
        """)
      #expect(try #require(Int(read)) < 1000)
    }

    @Test func `a store that was opened for a look changes nothing`() throws {
      let look = try database.open(.inspect)
      #expect(throws: StoreError.readOnly(path: look.location)) { try look.append([.revoking(1)]) }
      #expect(throws: StoreError.readOnly(path: look.location)) { try look.replay([], at: time(1)) }
      #expect(try look.tally().events == 0)
    }
  }

  /// Counts from many threads.
  private final class Counter: @unchecked Sendable {
    // Used under its lock.
    private let lock = NSLock()
    private(set) var accepted = 0
    private(set) var failures: [String] = []

    func add(accepted count: Int) { lock.withLock { accepted += count } }
    func add(failure: String) { lock.withLock { failures.append(failure) } }
  }
#endif
