import DynamicEvents
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct EventSummaryTests {
  let folder: TemporaryFolder
  let store: RevocationStore

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  @Test func `an event tells how each handler stands with it that was there when it came`() throws {
    let ids = try ["dead", "done", "retrying", "waiting"].map {
      try store.handlerPosition(registering: $0, at: time(1)).id
    }
    _ = try store.append([.revoking(1, message: "m1", receivedAt: 2000, body: [1, 2])])
    _ = try store.append([.revoking(1, message: "m2", receivedAt: 2000, body: [1, 2])])
    _ = try store.handlerPosition(registering: "late", at: time(2001))
    try store.record(
      [Attempt(event: 1, number: 3, at: time(3000), outcome: .dead(error: "gone"))], handler: ids[0], advancingTo: 1)
    try store.record([], handler: ids[1], advancingTo: 1)
    try store.record(
      [Attempt(event: 1, number: 1, at: time(3000), outcome: .failed(error: "busy", retryAt: time(4000)))],
      handler: ids[2], advancingTo: 1)
    let expected = EventSummary(
      seq: 1, name: "user.session.revoked", problem: nil, source: .webhook, messageIDs: ["m1", "m2"],
      receivedAt: time(2000),
      occurredAt: time(1500), body: [1, 2],
      handlers: [
        EventSummary.Handler(name: "dead", state: .dead(attempts: 3, error: "gone")),
        EventSummary.Handler(name: "done", state: .done),
        EventSummary.Handler(name: "retrying", state: .retrying(attempts: 1, at: time(4000), error: "busy")),
        EventSummary.Handler(name: "waiting", state: .waiting),
      ])
    let inspector = try RevocationStore(data: folder.data, mode: .inspect)
    #expect(try inspector.event(1) == expected)
    #expect(try inspector.event(#require(EventKey(bytes: sixteenBytes(1)))) == expected)
    #expect(try inspector.latestEvents(EventFilter(), before: nil, limit: 9) == [expected])
    #expect(try inspector.event(2) == nil)
    #expect(try inspector.event(#require(EventKey(bytes: sixteenBytes(2)))) == nil)
  }

  @Test func `an undecodable event has a problem and no handlers`() throws {
    _ = try store.handlerPosition(registering: "audit", at: time(1))
    _ = try store.append([.undecodable(1)])
    let event = try #require(try store.event(1))
    #expect(event.name == nil && event.problem == "the body is not JSON")
    #expect(event.handlers == [] && event.body == [0xFF])
  }

  @Test(
    arguments: [
      (EventFilter(), nil, 9, [5, 4, 3, 2, 1]), (EventFilter(), nil, 2, [5, 4]), (EventFilter(), 4, 2, [3, 2]),
      (EventFilter(name: "user.created"), nil, 9, [4, 2]), (EventFilter(name: "user.created"), 4, 9, [2]),
      // The clock was set back between 3 and 4.
      (EventFilter(since: time(10_003)), nil, 9, [5, 3]), (EventFilter(since: time(10_003)), nil, 1, [5]),
      (EventFilter(since: time(20_000)), nil, 9, []), (EventFilter(since: time(10_000), name: "nothing"), nil, 9, []),
    ] as [(EventFilter, Int64?, Int, [Int64])])
  func `the latest come first, from where and since when one likes`(
    filter: EventFilter, before: Int64?, limit: Int, seqs: [Int64]
  ) throws {
    for (number, receivedAt) in [(1, 10_001), (2, 10_002), (3, 10_003), (4, 10_001), (5, 10_004)] as [(UInt64, Int64)] {
      _ = try store.append([
        number % 2 == 0
          ? .other(number, receivedAt: receivedAt) : .revoking(number, receivedAt: receivedAt)
      ])
    }
    #expect(try store.latestEvents(filter, before: before, limit: limit).map(\.seq) == seqs)
  }
}
