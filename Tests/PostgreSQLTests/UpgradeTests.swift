#if PostgreSQL
  import DynamicEvents
  import Foundation
  import PostgreSQL
  import Storage
  import Synchronization
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  /// Nodes of this release while the next one's schema is made beneath them, as the rules for schemas allow.
  @Suite(.timeLimit(.minutes(5))) struct UpgradeTests {
    /// Columns, tables and functions are added, and nothing is taken away.
    private static let next = """
      ALTER TABLE revoked.event ADD COLUMN origin text NOT NULL DEFAULT '';
      ALTER TABLE revoked.revocation ADD COLUMN note text;
      ALTER TABLE revoked.handler ADD COLUMN paused boolean NOT NULL DEFAULT false;
      CREATE TABLE revoked.more (id bigint PRIMARY KEY);
      DO $$ BEGIN EXECUTE replace(pg_get_functiondef('revoked.append_1'::regproc), 'append_1', 'append_2'); END $$
      """

    /// What the next release's nodes would call.
    private static func append(_ number: UInt64) -> String {
      let id = "ARRAY['00000000-0000-0000-0000-\(String(format: "%012llx", number))'::uuid]"
      return "SELECT revoked.append_2(\(id), ARRAY['webhook'], ARRAY['user.session.revoked'], ARRAY[NULL], ARRAY[''], "
        + "ARRAY[1], ARRAY[1], ARRAY['x'::bytea], \(id), ARRAY[1], ARRAY[1], ARRAY[1], ARRAY['user'], ARRAY[1], "
        + "ARRAY['e'], '{}', '{}', '{}', '{}', '{}', '{}', NULL)"
    }

    /// On a thread of its own. Returns whether it is done.
    private func upgrade(_ database: TestDatabase) -> () throws -> Bool {
      let result = Upgrade()
      Thread.detachNewThread {
        let isNew = Result {
          let node = try Node(ConnectionURL(database.url))
          defer { node.close() }
          return try node.connect(until: .after(.seconds(30))).use { connection in
            try Schema.migrate(connection, by: Schema.migrations + [Self.next]) { _, _ in }
          }
        }
        result.isNew.withLock { $0 = isNew }
      }
      return { try result.isNew.withLock { try $0?.get() } == false }
    }

    private final class Upgrade: Sendable {
      let isNew = Mutex<Result<Bool, any Error>?>(nil)
    }

    @Test func `nodes go on while the next release changes the schema, and both work side by side`() throws {
      let database = try TestDatabase()
      var nodes = try (0..<2).map { _ in try database.open() }
      guard case .leads(let lease) = try nodes[0].claim("log", patterns: ["*"], at: time(1)) else { throw Unexpected() }
      let writers = Writers(nodes)
      defer { writers.end() }
      var readers = nodes.map { Reader($0, writers) }
      defer { for reader in readers { reader.end() } }
      func goOn() -> Bool { writers.goOn() && readers.allSatisfy { $0.goOn() } }
      try #require(goOn())

      // It keeps the upgrade from the lock of the table that look-ups read, and by then the upgrade has event's.
      let backup = try Connection(ConnectionURL(database.url), application: "backup", patience: .seconds(10))
      try backup.execute("BEGIN; SELECT 1 FROM revoked.revocation LIMIT 1", until: .after(.seconds(10)))
      let isUpgraded = upgrade(database)
      let retrying = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(1)'"
      try #require(eventually { try database.run(retrying) == "1" })
      nodes.append(try database.open())
      readers.append(Reader(nodes[2], writers))
      try #require(goOn())
      #expect(try !isUpgraded())
      backup.close()
      try #require(eventually { try isUpgraded() })
      #expect(try database.run("SELECT schema, oldest_release FROM revoked.meta") == "2|1")

      for number in UInt64(1)...20 { try database.run(Self.append(number)) }
      try nodes[0].record([], lease: lease, advancingTo: 10)
      nodes.append(try database.open())
      readers.append(Reader(nodes[3], writers))
      try #require(goOn())
      let (acknowledged, failures) = writers.end()
      // A busy machine may lose a connection, but no statement is refused.
      let refusals = failures.filter { if case .unreachable = $0 { false } else { true } }
      #expect(refusals == [])
      for reader in readers {
        let (missed, longest) = reader.end()
        #expect(missed == [])
        print("upgrade: look-ups answered nothing for \(longest) at most")
      }
      let all = acknowledged + (1...20)
      for node in nodes { #expect(try LookUpLoop(node).missing(of: all) == []) }
      #expect(try nodes[3].tally().events == all.count)
      #expect(try database.run("SELECT count(*) FROM revoked.event") == "\(all.count)")
    }
  }

  /// A thread that asks a node about what writers were told last, all the time.
  private final class Reader: Sendable {
    private struct State {
      var answers = 0
      /// Acknowledged, and not said to be revoked.
      var missed: [SessionID] = []
      /// Between two answers.
      var longest = Duration.zero
    }

    private let group = DispatchGroup()
    private let isOver = Atomic(false)
    private let state = Mutex(State())

    init(_ node: PostgreSQLStore, _ writers: Writers) {
      group.enter()
      Thread.detachNewThread {
        defer { self.group.leave() }
        guard let loop = try? LookUpLoop(node) else { return }
        var last = ContinuousClock.now
        while !self.isOver.load(ordering: .relaxed) {
          let sessions = writers.latest(50).compactMap { try? session($0) }
          guard let revoked = try? loop.isRevoked(sessions).get() else { continue }
          let now = ContinuousClock.now
          self.state.withLock { state in
            state.answers += 1
            state.missed += Set(sessions).subtracting(revoked)
            state.longest = max(state.longest, now - last)
          }
          last = now
        }
      }
    }

    /// Returns whether there are a hundred more answers in time.
    func goOn() -> Bool {
      let before = state.withLock { $0.answers }
      return eventually { state.withLock { $0.answers } >= before + 100 }
    }

    @discardableResult
    func end() -> (missed: [SessionID], longest: Duration) {
      isOver.store(true, ordering: .relaxed)
      group.wait()
      return state.withLock { ($0.missed, $0.longest) }
    }
  }
#endif
