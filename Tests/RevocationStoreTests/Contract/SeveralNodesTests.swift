#if PostgreSQL
  import DynamicEvents
  import Storage
  import Synchronization
  import TestSupport
  import Testing

  /// What several servers on one store keep together.
  @Suite(.timeLimit(.minutes(5))) struct SeveralNodesTests {
    @Test func `what one node has acknowledged, every node refuses from then on`() throws {
      let place = try Engine.postgreSQL.place()
      let nodes = try (0..<3).map { _ in try place.open() }
      let lookUps = nodes.map { $0.makeLookUps().awaited }
      for number in UInt64(1)...200 {
        let outcome = try nodes[Int(number) % 3].append([.revoking(number)])
        #expect(outcome == [.accepted])
        for lookUps in lookUps { #expect(try answered { try lookUps.revoked(of: [session(number)]) }.count == 1) }
      }
    }

    @Test func `of the same events that come to all nodes at once, each is accepted once`() async throws {
      let place = try Engine.postgreSQL.place()
      let nodes = try (0..<4).map { _ in try place.open() }
      let accepted = Count()
      await withTaskGroup { group in
        for (number, node) in nodes.enumerated() {
          group.addTask {
            for batch in 0..<20 {
              let events = (0..<16).compactMap { place in
                // Each node in an order of its own.
                try? IncomingEvent.revoking(UInt64(batch * 16 + (place * 7 + number * 5) % 16 + 1))
              }
              let outcomes = (try? node.append(events)) ?? []
              accepted.add(outcomes.count { $0 == .accepted })
            }
          }
        }
      }
      #expect(accepted.value == 320)
      #expect(try nodes[0].tally().revocations == 320)
    }

    @Test func `one node leads a handler; released, another does, and the first records nothing any more`() throws {
      let place = try Engine.postgreSQL.place()
      let (first, second) = (try place.open(), try place.open())
      let lease = try first.lead("log")
      #expect(lease.validity != nil && lease.renewal != nil)
      guard case .follows(let pause) = try second.claim("log", patterns: ["*"], at: time(1)) else {
        Issue.record("two nodes lead")
        return
      }
      #expect(pause > .zero)
      #expect(try first.renew(lease, patterns: ["*"]))
      _ = try first.append([.other(1)])
      try first.record([], lease: lease, advancingTo: 1)
      try first.release(lease)
      let later = try second.lead("log")
      #expect(later.epoch > lease.epoch && later.position == 1 && later.handler == lease.handler)
      #expect(throws: StoreError.leaseLost(handler: lease.handler)) {
        try first.record([], lease: lease, advancingTo: 1)
      }
      #expect(try !first.renew(lease, patterns: ["*"]))
      try second.record([], lease: later, advancingTo: 1)
    }

    @Test func `what another node or a command commits is told of, and is in the feed by then`() async throws {
      let place = try Engine.postgreSQL.place()
      let server = try place.open()
      let (changes, signal) = AsyncStream.makeStream(of: Int64.self)
      let observation = try server.observeChanges { signal.yield(server.lastRevocation) }
      defer { observation.cancel() }
      let command = try place.open(.amend)
      #expect(try command.append([OperatorOrder.revoke(session(5)).event(at: time(1))]) == [.accepted])
      #expect(try server.refuses(5))
      try command.close()
      for await last in changes where last == 1 { break }
      #expect(try server.feed(after: 0, limit: 10, at: time(2)).entries.map(\.session) == [session(5)])
    }

    @Test func `a duty is one node's at a time`() throws {
      let place = try Engine.postgreSQL.place()
      let (first, second) = (try place.open(), try place.open())
      #expect(try first.take(.catchUp, for: .seconds(60)))
      #expect(try !second.take(.catchUp, for: .seconds(60)))
      #expect(try first.take(.catchUp, for: .seconds(60)))
      try first.leave(.catchUp)
      #expect(try second.take(.catchUp, for: .seconds(60)))
    }
  }

  /// Of what several tasks do at once.
  private final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add(_ number: Int) { count.withLock { $0 += number } }
  }
#endif
