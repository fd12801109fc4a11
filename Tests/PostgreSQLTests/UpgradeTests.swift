#if PostgreSQL
  import Dispatch
  import Foundation
  import Storage
  import Synchronization
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  /// Nodes of this release while the next one's schema is made beneath them, as the rules for schemas allow.
  @Suite(.timeLimit(.minutes(3))) struct UpgradeTests {
    /// Columns, tables and functions are added, and nothing is taken away.
    private static let next = """
      SET lock_timeout = '2s';
      ALTER TABLE revoked.event ADD COLUMN origin text NOT NULL DEFAULT '';
      ALTER TABLE revoked.revocation ADD COLUMN note text;
      ALTER TABLE revoked.handler ADD COLUMN paused boolean NOT NULL DEFAULT false;
      CREATE TABLE revoked.more (id bigint PRIMARY KEY);
      DO $$ BEGIN EXECUTE replace(pg_get_functiondef('revoked.append_1'::regproc), 'append_1', 'append_2'); END $$;
      UPDATE revoked.meta SET schema = 2, oldest_release = 1
      """

    /// What the next release's nodes would call.
    private static func append(_ number: UInt64) -> String {
      let id = "ARRAY['00000000-0000-0000-0000-\(String(format: "%012llx", number))'::uuid]"
      return "SELECT revoked.append_2(\(id), ARRAY['webhook'], ARRAY['user.session.revoked'], ARRAY[NULL], ARRAY[''], "
        + "ARRAY[1], ARRAY[1], ARRAY['x'::bytea], \(id), ARRAY[1], ARRAY[1], ARRAY[1], ARRAY['user'], ARRAY[1], "
        + "ARRAY['e'], '{}', '{}', '{}', '{}', '{}', '{}', NULL)"
    }

    @Test func `nodes go on while the next release changes the schema, and both work side by side`() throws {
      let database = try TestDatabase()
      let nodes = try (0..<2).map { _ in try database.open() }
      guard case .leads(let lease) = try nodes[0].claim("log", patterns: ["*"], at: time(1)) else { throw Unexpected() }
      let state = Mutex((acknowledged: [UInt64](), failures: [String]()))
      let isOver = Atomic(false)
      let writers = DispatchGroup()
      for (index, node) in nodes.enumerated() {
        writers.enter()
        Thread.detachNewThread {
          var number = UInt64(index + 1) << 32
          while !isOver.load(ordering: .relaxed) {
            number += 1
            do {
              guard try node.append([.revoking(number)]) == [.accepted] else { throw Unexpected() }
              state.withLock { $0.acknowledged.append(number) }
            } catch {
              state.withLock { $0.failures.append("\(error)") }
            }
          }
          writers.leave()
        }
      }
      func goOn() throws {
        let before = state.withLock { $0.acknowledged.count }
        let end = ContinuousClock.now + .seconds(30)
        while state.withLock({ $0.acknowledged.count }) < before + 100 { try #require(ContinuousClock.now < end) }
      }
      try goOn()
      try database.run(Self.next)
      try goOn()
      for number in UInt64(1)...20 { try database.run(Self.append(number)) }
      try nodes[0].record([], lease: lease, advancingTo: 10)
      let restarted = try database.open()
      try goOn()
      isOver.store(true, ordering: .relaxed)
      writers.wait()
      let (acknowledged, failures) = state.withLock { $0 }
      #expect(failures == [])
      let all = try (acknowledged + (1...20)).sorted().map { try session($0) }
      for node in nodes + [restarted] {
        let loop = try LookUpLoop(node)
        for start in stride(from: 0, to: all.count, by: 1000) {
          let some = Array(all[start..<min(start + 1000, all.count)])
          #expect(try loop.first(some) == some)
        }
      }
      #expect(try restarted.tally().events == all.count)
      #expect(try database.run("SELECT count(*) FROM revoked.event") == "\(all.count)")
    }
  }
#endif
