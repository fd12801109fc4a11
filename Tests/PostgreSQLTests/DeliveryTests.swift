#if PostgreSQL
  import Dispatch
  import DynamicEvents
  import Foundation
  import PostgreSQL
  import Storage
  import Synchronization
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  @Suite(.timeLimit(.minutes(3))) struct DeliveryTests {
    let database: TestDatabase
    let store: PostgreSQLStore

    init() throws {
      database = try TestDatabase()
      store = try database.open()
    }

    private func lead(_ store: PostgreSQLStore, _ name: String = "log") throws -> HandlerLease {
      guard case .leads(let lease) = try store.claim(name, patterns: ["user.*"], at: time(1)) else {
        throw StoreError.leaseLost(handler: 0)
      }
      return lease
    }

    private func due(_ lease: HandlerLease, at now: Int64, upTo end: Int64 = .max, limit: Int = 10) throws -> DuePage {
      try store.dueDeliveries(
        handler: lease.handler, at: time(now), limit: limit, bytes: 1 << 20, upTo: end, excluding: [])
    }

    @Test func `a handler begins behind the newest event, and gets all that follow in their order`() throws {
      try store.append([.revoking(1)])
      let lease = try lead(store)
      #expect(lease.position == 1)
      try store.append([.revoking(2), .undecodable(3), .other(4), .undecodable(5)])
      let page = try store.events(after: lease.position, limit: 10, bytes: 1 << 20, handler: lease.handler)
      #expect(page.events.map(\.seq) == [2, 4])
      #expect(page.events.map(\.name) == [EventNames.sessionRevoked, "user.created"])
      #expect(page.end == 5)
      #expect(try store.events(after: 1, limit: 1, bytes: 1 << 20, handler: lease.handler).end == 2)
      #expect(try store.events(after: 5, limit: 1, bytes: 1 << 20, handler: lease.handler).end == 5)
    }

    @Test func `a page ends where its bodies are enough, but has one`() throws {
      let lease = try lead(store)
      let large = [UInt8](repeating: 1, count: 1000)
      try store.append((1...5).map { try .other(UInt64($0), body: large) })
      func numbers(_ bytes: Int) throws -> [Int64] {
        try store.events(after: 0, limit: 10, bytes: bytes, handler: lease.handler).events.map(\.seq)
      }
      #expect(try numbers(1) == [1])
      #expect(try numbers(1500) == [1, 2])
      #expect(try numbers(100_000) == [1, 2, 3, 4, 5])
      #expect(try store.events(after: 0, limit: 10, bytes: 1500, handler: lease.handler).end == 2)
    }

    @Test func `every node knows who leads a handler, by the machine and the process`() throws {
      let other = try database.open()
      let leases = try (lead(store), lead(other, "forward"))
      try database.run("UPDATE revoked.handler SET lease_until = lease_until - interval '5 seconds' WHERE name = 'log'")
      for (node, isFirst) in [(store, true), (other, false)] {
        let leaders = try #require(try node.leaders())
        #expect(Set(leaders.keys) == ["log", "forward"])
        #expect(leaders["log"]?.isHere == isFirst && leaders["forward"]?.isHere == !isFirst)
        #expect(leaders["log"]?.node == store.node.name && leaders["forward"]?.node == other.node.name)
        #expect(leaders["log"].map { .seconds(5)..<(.seconds(14)) ~= $0.renewedAgo } == true)
      }
      let host = try String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
        .trimmingCharacters(in: .newlines)
      let parts = store.node.name.split(separator: "/").map(String.init)
      #expect(parts.count == 3 && parts[0] == host && parts[1] == "\(getpid())")
      try store.release(leases.0)
      try database.run("UPDATE revoked.handler SET lease_until = now() WHERE name = 'forward'")
      #expect(try store.leaders()?.isEmpty == true)
    }

    @Test func `one node leads until it lets go or its lease has ended`() throws {
      let other = try database.open()
      let first = try lead(store)
      guard case .follows = try other.claim("log", patterns: [], at: time(1)) else { throw Unexpected() }
      #expect(try store.renew(first, patterns: ["user.*"]))
      try store.release(first)
      let second = try lead(other)
      #expect(second.epoch > first.epoch)
      #expect(try !store.renew(first, patterns: []))
      guard case .follows = try store.claim("log", patterns: [], at: time(1)) else { throw Unexpected() }
      try database.run("UPDATE revoked.handler SET lease_until = now() - interval '1 second'")
      let third = try lead(store)
      #expect(third.epoch > second.epoch)
    }

    @Test func `nothing is recorded under a lease that another node has taken`() throws {
      try store.append([.revoking(1)])
      let old = try lead(store)
      try store.append([.revoking(2)])
      try database.run("UPDATE revoked.handler SET lease_until = now() - interval '1 second'")
      let new = try lead(try database.open())
      let failure = Attempt(event: 2, number: 1, at: time(5), outcome: .failed(error: "x", retryAt: time(10)))
      #expect(throws: StoreError.leaseLost(handler: old.handler)) {
        try store.record([failure], lease: old, advancingTo: 2)
      }
      #expect(try database.run("SELECT position FROM revoked.handler") == "\(new.position)")
      #expect(try database.run("SELECT count(*) FROM revoked.delivery") == "0")
    }

    @Test func `what failed comes again when it is due, and is counted`() throws {
      let lease = try lead(store)
      try store.append([.revoking(1), .revoking(2), .revoking(3)])
      try store.record(
        [
          Attempt(event: 1, number: 1, at: time(10), outcome: .failed(error: "refused", retryAt: time(100))),
          Attempt(event: 2, number: 1, at: time(10), outcome: .delivered),
          Attempt(event: 3, number: 1, at: time(10), outcome: .claimed),
        ], lease: lease, advancingTo: 3)
      #expect(try store.backlogs() == ["log": Backlog(pending: 2, dead: 0)])
      #expect(try due(lease, at: 50).due.map(\.event.seq) == [3])
      #expect(try due(lease, at: 50).next == time(100))
      #expect(try due(lease, at: 200).due.map(\.event.seq) == [3, 1])
      #expect(try due(lease, at: 200, limit: 1).due.map(\.event.seq) == [3])
      #expect(try due(lease, at: 200, upTo: 2).due.map(\.event.seq) == [1])
      #expect(try due(lease, at: 200, upTo: 2).isMoreAhead)
      // Further ahead than any pause: the clock was ahead.
      let early = try due(lease, at: 100 - 3_600_001)
      #expect(early.due.map(\.event.seq) == [1])
      #expect(early.misdated == time(100))
      #expect(early.next == time(10))
      try store.record(
        [
          Attempt(event: 1, number: 2, at: time(200), outcome: .dead(error: "given up")),
          Attempt(event: 3, number: 1, at: time(200), outcome: .failed(error: "again", retryAt: time(300))),
        ], lease: lease, advancingTo: nil)
      #expect(try store.backlogs() == ["log": Backlog(pending: 1, dead: 1)])
      let dead = try store.deadLetters(DeadLetterFilter(), after: nil, limit: 10)
      #expect(dead.map(\.id.description) == ["1/log"])
      #expect(dead.first?.attemptTimes == [time(10), time(200)])
      #expect(try store.pendingDelivery(of: 1, handler: lease.handler) == nil)
      #expect(try store.pendingDelivery(of: 3, handler: lease.handler)?.attempts == 1)
      #expect(try store.oldestPending() == ["log": time(2000)])
      #expect(try store.findFaults { _, _, _ in } == [])
    }

    @Test func `no more than twenty times of an event's attempts are kept, the latest`() throws {
      let lease = try lead(store)
      try store.append([.revoking(1)])
      for number in 1...25 {
        let outcome =
          number == 25 ? Attempt.Outcome.dead(error: "x") : .failed(error: "x", retryAt: time(Int64(number)))
        try store.record(
          [Attempt(event: 1, number: number, at: time(Int64(number)), outcome: outcome)], lease: lease,
          advancingTo: 1)
      }
      let times = try store.deadLetters(DeadLetterFilter(), after: nil, limit: 1).first?.attemptTimes
      #expect(times == (6...25).map { time($0) })
    }

    @Test func `dead letters are put back by an operator or by Dynamic, or discarded`() throws {
      let leases = try [lead(store, "a"), lead(store, "b")]
      try store.append([.revoking(1), .undecodable(2)])
      func die() throws {
        for lease in leases {
          try store.record(
            [Attempt(event: 1, number: 3, at: time(10), outcome: .dead(error: "x"))], lease: lease, advancingTo: 2)
        }
      }
      try die()
      let all = try store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).map(\.id)
      #expect(all.map(\.description) == ["1/a", "1/b", "2"])
      #expect(
        try store.latestDeadLetters(before: nil, limit: 10).map(\.id.description) == ["2", "1/b", "1/a"])
      #expect(try store.deadLetters(DeadLetterFilter(), after: all[0], limit: 10).map(\.id) == Array(all[1...]))
      #expect(try store.deadLetterCount(DeadLetterFilter(handler: "a")) == 1)
      #expect(try store.replay([all[0], all[2]], at: time(20)) == [all[0]])
      #expect(try due(leases[0], at: 20).due.first?.wasDead == true)
      #expect(try store.append([.revoking(1)]) == [.duplicate])
      #expect(try due(leases[1], at: 2000).due.count == 1)
      try die()
      #expect(try store.discard(all) == all)
      #expect(try store.deadLetterCount(DeadLetterFilter()) == 0)
      #expect(try store.backlogs().values.allSatisfy { $0 == Backlog(pending: 0, dead: 0) })
    }

    @Test func `an append that waits for pruning holds nothing that pruning wants`() throws {
      let lease = try lead(store)
      try store.append([.revoking(1)])
      try store.record(
        [Attempt(event: 1, number: 1, at: time(10), outcome: .dead(error: "x"))], lease: lease, advancingTo: 1)
      let pruning = try Connection(ConnectionURL(database.url), application: "test", patience: .seconds(5))
      let deadline = Deadline.after(.seconds(20))
      let appended = Mutex<[AppendOutcome]?>(nil)
      let isOver = DispatchSemaphore(value: 0)
      try pruning.transaction(until: deadline) { pruning in
        try pruning.query("SELECT 1 FROM revoked.handler FOR UPDATE", until: deadline)
        // It puts the dead letter back, and has the session remembered for longer.
        let again = try IncomingEvent.revoking(1, createdAt: 900)
        Thread.detachNewThread { [store] in
          appended.withLock { $0 = try? store.append([again]) }
          isOver.signal()
        }
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        try #require(eventually { try !database.run(waiting).isEmpty })
        try pruning.query("UPDATE revoked.tally SET departures = departures", until: deadline)
      }
      #expect(isOver.wait(timeout: .now() + 20) == .success)
      #expect(appended.withLock { $0 } == [.duplicate])
    }

    @Test func `what can be decoded by now becomes a new event`() throws {
      let body = Array(
        #"""
        {"eventId":"e-1","eventName":"user.session.revoked","timestamp":"2026-01-01T00:00:00.000Z",\#
        "data":{"id":"\#(try session(7))"}}
        """#.utf8)
      var event = try IncomingEvent.undecodable(1)
      event.body = body
      try store.append([event])
      let lease = try lead(store)
      let id = DeadLetterID(event: 1, handler: nil)
      #expect(try store.replay([id], at: time(3000)) == [id])
      #expect(try store.revocations(ofEach: [session(7)])[0] != nil)
      let page = try store.events(after: lease.position, limit: 10, bytes: 1 << 20, handler: lease.handler)
      #expect(page.events.map(\.name) == [EventNames.sessionRevoked])
      #expect(try store.tally().undecodable == 0)
    }

    @Test func `a handler is removed once no node has it, and forgotten only then`() throws {
      let other = try database.open()
      _ = try lead(store)
      _ = try other.claim("log", patterns: ["wallet.*"], at: time(1))
      try store.markRemoved(allBut: ["other"], at: time(5))
      #expect(try !store.isRemoved("log"))
      #expect(try !store.forgetSome(ofRemoved: "log", limit: 10))
      #expect(try database.run("SELECT count(*) FROM revoked.handler") == "1")
      try other.markRemoved("log", at: time(6))
      #expect(try store.isRemoved("log"))
      #expect(try !store.forgetSome(ofRemoved: "log", limit: 10))
      #expect(try database.run("SELECT count(*) FROM revoked.handler") == "0")
    }

    @Test func `a duty is one node's at a time`() throws {
      let other = try database.open()
      #expect(try store.take(.catchUp, for: .seconds(60)))
      #expect(try !other.take(.catchUp, for: .seconds(60)))
      #expect(try store.take(.catchUp, for: .seconds(60)))
      #expect(try other.take(.pruning, for: .seconds(60)))
      try store.leave(.catchUp)
      #expect(try other.take(.catchUp, for: .seconds(60)))
    }

    @Test func `pruning forgets what has expired and what nobody needs, and no number comes again`() throws {
      let day: Int64 = 86_400_000
      let lease = try lead(store)
      try store.append((1...30).map { try .revoking(UInt64($0), revokedAt: 1000, receivedAt: 2000) })
      try store.append([.revoking(31, revokedAt: 200 * day, createdAt: nil, receivedAt: 200 * day)])
      try store.record(
        [Attempt(event: 3, number: 1, at: time(10), outcome: .dead(error: "x"))], lease: lease, advancingTo: 20)
      let before = try store.feed(after: 0, limit: 100, at: time(2000))
      var step: PruneStep? = .first
      while let next = step { step = try store.prune(next, at: time(200 * day), handlers: ["log"]) }
      #expect(try store.revocations(ofEach: [session(1), session(31)]).map { $0 != nil } == [false, true])
      // Up to the handler's position, but for the dead letter.
      #expect(try database.run("SELECT min(seq), max(seq), count(*) FROM revoked.event") == "3|31|12")
      let tally = try store.tally()
      #expect(tally.revocations == 1)
      #expect(tally.events == 12)
      #expect(tally.lastRevocation == 31)
      let after = try store.feed(after: 0, limit: 100, at: time(200 * day))
      #expect(after.departures >= before.departures + 30)
      #expect(after.entries.count == 1)
      try store.append([.revoking(40, revokedAt: 200 * day, receivedAt: 200 * day)])
      #expect(try store.tally().lastRevocation == 32)
      #expect(try store.findFaults { _, _, _ in } == [])
    }
  }
#endif
