import DynamicEvents
import Storage
import Testing

@Suite(.timeLimit(.minutes(5))) struct DeliveryContractTests {
  private let places = StorePlaces()

  @Test(arguments: Engine.allCases)
  func `a handler begins behind the newest event, and goes on where it came to`(_ engine: Engine) throws {
    let place = try places.place(engine)
    let store = try place.open()
    _ = try store.append([.other(1), .undecodable(2)])
    let lease = try store.lead("log")
    #expect(lease.position == 2)
    _ = try store.append([.other(3), .undecodable(4), .revoking(5)])
    #expect(try store.fresh(after: lease.position, handler: lease.handler) == [3, 5])
    #expect(try store.events(after: 2, limit: 1, bytes: 1 << 20, handler: nil).end == 3)
    #expect(try store.events(after: 2, limit: 9, bytes: 1 << 20, handler: nil).end == 5)
    try store.record([], lease: lease, advancingTo: 5)
    // Never back.
    try store.record([], lease: lease, advancingTo: 3)
    #expect(try store.backlogs() == ["log": Backlog(pending: 0, dead: 0)])
    try store.release(lease)
    try store.close()
    #expect(try place.open().lead("log").position == 5)
  }

  @Test(arguments: Engine.allCases)
  func `what failed is due at its time, what is given up is a dead letter, and what is delivered is gone`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    let lease = try store.lead("log")
    _ = try store.append([.other(1), .other(2), .other(3), .other(4)])
    func attempt(_ event: Int64, _ number: Int, _ outcome: Attempt.Outcome) -> Attempt {
      Attempt(event: event, number: number, at: time(100 * Int64(number)), outcome: outcome)
    }
    try store.record(
      [
        attempt(1, 1, .failed(error: "busy", retryAt: time(500))), attempt(2, 1, .dead(error: "gone")),
        attempt(3, 1, .claimed),
      ], lease: lease, advancingTo: 4)
    #expect(try store.due(lease.handler, at: time(100)).due.map(\.event.seq) == [3])
    #expect(try store.due(lease.handler, at: time(100)).next == time(500))
    #expect(try store.due(lease.handler, at: time(500)).due.map(\.event.seq) == [3, 1])
    #expect(try store.backlogs()["log"] == Backlog(pending: 2, dead: 1))
    #expect(try store.oldestPending() == ["log": time(2000)])
    #expect(try store.pendingDelivery(of: 1, handler: lease.handler)?.attempts == 1)
    #expect(try store.pendingDelivery(of: 2, handler: lease.handler) == nil)
    #expect(try store.pendingDelivery(of: 4, handler: lease.handler) == nil)

    try store.record([attempt(1, 2, .delivered), attempt(3, 2, .delivered)], lease: lease, advancingTo: nil)
    #expect(try store.due(lease.handler, at: time(9000)).due.isEmpty)
    #expect(try store.backlogs()["log"] == Backlog(pending: 0, dead: 1))
    #expect(try store.event(2)?.handlers.map(\.state) == [.dead(attempts: 1, error: "gone")])
    #expect(try store.event(4)?.handlers.map(\.state) == [.done])
  }

  @Test(arguments: Engine.allCases)
  func `dead letters are listed both ways, put back or forgotten, and only those that there are`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    let lease = try store.lead("log")
    _ = try store.append([.other(1), .undecodable(2), .other(3)])
    try store.record(
      [1, 3].map { Attempt(event: $0, number: 1, at: time(50), outcome: .dead(error: "gone")) }, lease: lease,
      advancingTo: 3)
    let ids = [
      DeadLetterID(event: 1, handler: "log"), DeadLetterID(event: 2, handler: nil),
      DeadLetterID(event: 3, handler: "log"),
    ]
    #expect(try store.deadLetters(DeadLetterFilter(), after: nil, limit: 9).map(\.id) == ids)
    #expect(try store.deadLetters(DeadLetterFilter(), after: ids[0], limit: 1).map(\.id) == [ids[1]])
    #expect(try store.latestDeadLetters(before: nil, limit: 9).map(\.id) == ids.reversed())
    #expect(try store.latestDeadLetters(before: ids[2], limit: 9).map(\.id) == [ids[1], ids[0]])
    #expect(try store.deadLetterCount(DeadLetterFilter()) == 3)
    #expect(try store.deadLetterCount(DeadLetterFilter(handler: "log")) == 2)
    #expect(try store.deadLetterCount(DeadLetterFilter(event: 3)) == 1)
    #expect(try store.deadLetters(DeadLetterFilter(handler: "log"), after: nil, limit: 9)[0].attemptTimes == [time(50)])

    #expect(try store.replay([ids[0], ids[0], ids[1]], at: time(60)).first == ids[0])
    let due = try store.due(lease.handler, at: time(60)).due
    #expect(due.map(\.event.seq) == [1] && due[0].wasDead && due[0].attempts == 0)
    #expect(try store.discard([ids[2], ids[1], DeadLetterID(event: 9, handler: "log")]) == [ids[2], ids[1]])
    #expect(try store.deadLetters(DeadLetterFilter(), after: nil, limit: 9).isEmpty)
    #expect(try store.tally().undecodable == 0 && store.event(2) == nil)
  }

  @Test(arguments: Engine.allCases)
  func `an undecodable delivery that can be decoded by now becomes an event, and refuses its session`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    let lease = try store.lead("log")
    let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let body = #"{"eventId":"e1","eventName":"user.session.revoked","data":{"id":"\#(session)"}}"#
    let incoming = try IncomingEvent(
      undecodable: Array(body.utf8), .noEventName, source: .webhook, receivedAt: time(2000))
    #expect(try store.append([incoming]) == [.undecodable])
    #expect(try store.append([incoming]) == [.undecodable])
    let id = DeadLetterID(event: 1, handler: nil)
    #expect(try store.replay([id], at: time(3000)) == [id])
    #expect(try store.replay([id], at: time(3000)) == [])
    #expect(try store.revocations(ofEach: [try #require(SessionID(session))])[0] != nil)
    #expect(try store.fresh(after: 1, handler: lease.handler) == [2])
    #expect(try store.tally().undecodable == 0)
  }

  @Test(arguments: Engine.allCases)
  func `a webhook's redelivery puts dead deliveries back, and what is fetched does not`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    let lease = try store.lead("log")
    var event = try IncomingEvent.other(1)
    _ = try store.append([event])
    try store.record(
      [Attempt(event: 1, number: 1, at: time(50), outcome: .dead(error: "gone"))], lease: lease, advancingTo: 1)
    event.source = .message
    #expect(try store.append([event]) == [.duplicate])
    #expect(try store.backlogs()["log"] == Backlog(pending: 0, dead: 1))
    event.source = .webhook
    event.messageID = "m-2"
    #expect(try store.append([event]) == [.duplicate])
    #expect(try store.backlogs()["log"] == Backlog(pending: 1, dead: 0))
    #expect(try store.event(1)?.messageIDs == ["m-2"])
  }

  @Test(arguments: Engine.allCases)
  func `a removed handler keeps its place until it is forgotten, and one that is there is left alone`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    let lease = try store.lead("log")
    _ = try store.append([.other(1), .other(2), .other(3)])
    try store.record(
      (1...3).map { Attempt(event: $0, number: 1, at: time(2), outcome: .failed(error: "no", retryAt: time(9))) },
      lease: lease, advancingTo: 3)
    #expect(try !store.isRemoved("log") && !store.forgetSome(ofRemoved: "log", limit: 2))
    try store.release(lease)
    try store.markRemoved("log", at: time(3))
    #expect(try store.isRemoved("log"))
    #expect(try store.backlogs()["log"] == Backlog(pending: 3, dead: 0))
    #expect(try store.forgetSome(ofRemoved: "log", limit: 2))
    #expect(try !store.forgetSome(ofRemoved: "log", limit: 2))
    #expect(try store.backlogs().isEmpty)
  }

  @Test(arguments: Engine.allCases)
  func `what belongs to the store as a whole is a text that stays until it is removed`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    #expect(try store.state(.keySet) == nil)
    try store.setState(.keySet, to: "a")
    try store.setState(.keySet, to: "b")
    #expect(try store.state(.keySet) == "b")
    try store.setState(.keySet, to: nil)
    #expect(try store.state(.keySet) == nil)
  }

  @Test(arguments: Engine.allCases)
  func `a whole store has no faults, and a look at it writes nothing`(_ engine: Engine) throws {
    let place = try places.place(engine)
    let store = try place.open()
    let lease = try store.lead("log")
    _ = try store.append([.revoking(1), .undecodable(2), .other(3)])
    try store.record(
      [Attempt(event: 1, number: 1, at: time(2), outcome: .dead(error: "no"))], lease: lease, advancingTo: 3)
    let look = try place.open(.inspect)
    #expect(try look.findFaults { _, _, _ in } == [])
    #expect(try look.latestEvents(EventFilter(), before: nil, limit: 2).map(\.seq) == [3, 2])
    #expect(try look.latestEvents(EventFilter(name: "user.created"), before: nil, limit: 9).map(\.seq) == [3])
    #expect(try look.event(#require(EventKey(bytes: sixteenBytes(1))))?.seq == 1)
    #expect(throws: StoreError.self) { try look.append([.revoking(9)]) }
    #expect(throws: StoreError.self) { try look.setState(.keySet, to: "a") }
  }
}
