import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct HandlerTests {
  let folder: TemporaryFolder
  let store: RevocationStore

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  @Test func `a new handler starts with new events, and a known one where it stood`() throws {
    _ = try store.append([.other(1), .other(2)])
    let cursor = try store.handlerPosition(registering: "log", at: time(1))
    #expect(cursor.position == 2)
    _ = try store.append([.other(3), .other(4)])
    #expect(try store.handlerPosition(registering: "log", at: time(2)) == cursor)
    #expect(try store.events(after: cursor.position, limit: 10).events.map(\.seq) == [3, 4])
    try store.record([], handler: cursor.id, advancingTo: 3)
    #expect(try store.handlerPosition(registering: "exec", at: time(3)).position == 4)

    try store.close()
    let reopened = try RevocationStore(data: folder.data, mode: .serve)
    #expect(try reopened.handlerPosition(registering: "log", at: time(4)) == HandlerCursor(id: cursor.id, position: 3))
  }

  @Test func `a handler that was removed keeps its place and its rows until it is back, or is forgotten`() throws {
    let (gone, kept) = (try handler(), try store.handlerPosition(registering: "kept", at: time(1)).id)
    for id in [gone, kept] {
      try store.record(
        (1...3).map { Attempt(event: $0, number: 1, at: time(2), outcome: .failed(error: "no", retryAt: time(9))) },
        handler: id, advancingTo: 3)
    }
    // A server has it.
    #expect(try !store.isRemoved("log"))
    #expect(try !store.forgetSome(ofRemoved: "log", limit: 2))
    try store.markRemoved(allBut: ["kept", "later"], at: time(3))
    #expect(try store.isRemoved("log") && !store.isRemoved("kept"))
    #expect(try store.backlogs()["log"] == Backlog(pending: 3, dead: 0))
    #expect(try store.handlerPosition(registering: "log", at: time(4)) == HandlerCursor(id: gone, position: 3))
    #expect(try !store.forgetSome(ofRemoved: "log", limit: 2))
    #expect(try store.backlogs()["log"] == Backlog(pending: 3, dead: 0))

    try store.markRemoved("log", at: time(5))
    #expect(try store.forgetSome(ofRemoved: "log", limit: 2))
    #expect(try store.backlogs()["log"] == Backlog(pending: 1, dead: 0))
    #expect(try !store.forgetSome(ofRemoved: "log", limit: 2))
    #expect(try store.backlogs() == ["kept": Backlog(pending: 3, dead: 0)])
    #expect(try store.read { try $0.number("SELECT count(*) FROM delivery") } == 3)
    _ = try store.append([.other(4)])
    #expect(try store.handlerPosition(registering: "log", at: time(6)).position == 4)
  }

  @Test func `the oldest event that a handler has not finished is waiting or to be tried again, and not dead`() throws {
    let id = try store.handlerPosition(registering: "log", at: time(1)).id
    #expect(try store.oldestPending() == [:])
    _ = try store.append([.undecodable(1), .other(2, receivedAt: 20), .other(3, receivedAt: 30)])
    #expect(try store.oldestPending() == ["log": time(20)])
    try store.record(
      [Attempt(event: 2, number: 1, at: time(40), outcome: .failed(error: "no", retryAt: time(99)))], handler: id,
      advancingTo: 2)
    #expect(try store.oldestPending() == ["log": time(20)])
    try store.record([Attempt(event: 2, number: 2, at: time(50), outcome: .dead(error: "no"))], handler: id)
    #expect(try store.oldestPending() == ["log": time(30)])
    try store.record(
      [Attempt(event: 3, number: 1, at: time(60), outcome: .failed(error: "no", retryAt: time(99)))], handler: id,
      advancingTo: 3)
    #expect(try store.oldestPending() == ["log": time(30)])
    try store.record([Attempt(event: 3, number: 2, at: time(70), outcome: .delivered)], handler: id)
    #expect(try store.oldestPending() == [:])
  }

  @Test func `a position never goes back`() throws {
    let cursor = try store.handlerPosition(registering: "log", at: time(1))
    try store.record([], handler: cursor.id, advancingTo: 9)
    try store.record([], handler: cursor.id, advancingTo: 4)
    #expect(try store.handlerPosition(registering: "log", at: time(1)).position == 9)
  }

  @Test func `an event comes with everything it was stored with`() throws {
    _ = try store.append([.revoking(1, receivedAt: 77, body: [9, 8])])
    #expect(
      try store.events(after: 0, limit: 1).events
        == [StoredEvent(seq: 1, name: "user.session.revoked", body: [9, 8], receivedAt: time(77))])
  }

  @Test func `undecodable events are left out and stepped over`() throws {
    _ = try store.append([.undecodable(1), .other(2), .undecodable(3)])
    #expect(try store.events(after: 0, limit: 10).events.map(\.seq) == [2])
    #expect(try store.events(after: 0, limit: 10).end == 3)
    #expect(try store.events(after: 2, limit: 10) == EventPage(events: [], end: 3))
    #expect(try store.events(after: 3, limit: 10) == EventPage(events: [], end: 3))
  }

  @Test(arguments: [
    (10, 100, [1, 2, 3, 4], 4), (3, 100, [1, 2, 3], 3), (4, 100, [1, 2, 3, 4], 4), (10, 25, [1, 2, 3], 3),
    (10, 1, [1], 1), (10, 40, [1, 2, 3, 4], 4),
  ])
  func `a page ends at its bounds`(limit: Int, bytes: Int, seqs: [Int64], end: Int64) throws {
    _ = try store.append((1...4).map { try .other($0, body: [UInt8](repeating: 0, count: 10)) })
    let page = try store.events(after: 0, limit: limit, bytes: bytes)
    #expect(page.events.map(\.seq) == seqs)
    #expect(page.end == end)
  }

  @Test func `what succeeds leaves no row`() throws {
    let id = try handler()
    try store.record([Attempt(event: 1, number: 1, at: time(10), outcome: .delivered)], handler: id, advancingTo: 3)
    #expect(try store.read { try $0.number("SELECT count(*) FROM delivery") } == 0)
    #expect(try page(id, at: 1000) == DuePage(due: [], next: nil))
    #expect(try store.backlogs() == ["log": Backlog(pending: 0, dead: 0)])
  }

  @Test(arguments: [(Int.max, 1 << 30), (.min, 0)])
  func `a count of attempts that cannot be leaves room for one more`(stored: Int, attempts: Int) throws {
    let id = try handler()
    try store.record(
      [Attempt(event: 1, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(20)))], handler: id)
    try store.write { try $0.run("UPDATE delivery SET attempts = ?", stored) }
    #expect(try store.dueDeliveries(handler: id, at: time(20), limit: 1).due.map(\.attempts) == [attempts])
  }

  @Test func `what fails comes back when it is due, until it succeeds`() throws {
    let id = try handler()
    try store.record(
      [
        Attempt(event: 1, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(200))),
        Attempt(event: 3, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(100))),
      ], handler: id, advancingTo: 3)
    #expect(try page(id, at: 99).next == time(100))
    #expect(try page(id, at: 100).next == time(200))
    #expect(try page(id, at: 200).next == nil)
    #expect(try due(id, at: 99) == [])
    #expect(try due(id, at: 100) == [3])
    #expect(try due(id, at: 200) == [3, 1])
    #expect(try store.dueDeliveries(handler: id, at: time(200), limit: 1).due.map(\.event.seq) == [3])
    #expect(try store.dueDeliveries(handler: id, at: time(200), limit: 9, bytes: 1).due.map(\.event.seq) == [3])
    #expect(try store.dueDeliveries(handler: id, at: time(200), limit: 9, excluding: [3]).due.map(\.event.seq) == [1])
    #expect(try store.dueDeliveries(handler: id, at: time(100), limit: 9, excluding: [3]).next == time(200))

    try store.record(
      [Attempt(event: 3, number: 2, at: time(110), outcome: .failed(error: "f", retryAt: time(400)))], handler: id)
    #expect(try store.dueDeliveries(handler: id, at: time(400), limit: 9).due.map(\.attempts) == [1, 2])
    try store.record([Attempt(event: 1, number: 1, at: time(210), outcome: .delivered)], handler: id)
    #expect(try due(id, at: 1000) == [3])
    #expect(try store.backlogs() == ["log": Backlog(pending: 1, dead: 0)])
  }

  @Test func `a time further ahead than any pause is a clock's that was ahead, and has come`() throws {
    let id = try handler()
    let now = Timestamp(milliseconds: 1_800_000_000_000)
    func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: now.milliseconds + seconds * 1000) }
    try store.record(
      [(1, 3600), (2, 3601), (3, 10 * 365 * 86_400)].map { event, seconds in
        Attempt(event: event, number: 1, at: now, outcome: .failed(error: "e", retryAt: at(seconds)))
      }, handler: id, advancingTo: 3)
    let page = try store.dueDeliveries(handler: id, at: now, limit: 9)
    #expect(page.due.map(\.event.seq) == [2, 3])
    #expect(page.next == at(3600) && page.misdated == at(10 * 365 * 86_400))
    // The clock that wrote them.
    let then = try store.dueDeliveries(handler: id, at: at(3601), limit: 9)
    #expect(Set(then.due.map(\.event.seq)) == [1, 2, 3])
    let right = try store.dueDeliveries(handler: id, at: at(10 * 365 * 86_400 - 60), limit: 9)
    #expect(right.due.map(\.event.seq) == [1, 2] && right.misdated == nil)
  }

  @Test func `what was attempted out of its turn waits for its turn`() throws {
    let id = try handler()
    try store.record(
      [1, 3].map { Attempt(event: $0, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(20))) },
      handler: id)
    let early = try store.dueDeliveries(handler: id, at: time(30), limit: 9, upTo: 2)
    #expect(early.due.map(\.event.seq) == [1] && early.isMoreAhead)
    let all = try store.dueDeliveries(handler: id, at: time(30), limit: 9, upTo: 3)
    #expect(all.due.map(\.event.seq) == [1, 3] && !all.isMoreAhead)
    // Not even due.
    #expect(try !store.dueDeliveries(handler: id, at: time(15), limit: 9, upTo: 0).isMoreAhead)
  }

  @Test func `what was begun and never ended is due at once, and counts as an attempt`() throws {
    let id = try handler()
    try store.record([Attempt(event: 1, number: 1, at: time(50), outcome: .claimed)], handler: id, advancingTo: 3)
    #expect(try store.backlogs() == ["log": Backlog(pending: 1, dead: 0)])
    #expect(try page(id, at: 50).due.map(\.attempts) == [1])
    try store.record([Attempt(event: 1, number: 1, at: time(60), outcome: .delivered)], handler: id)
    #expect(try store.backlogs() == ["log": Backlog(pending: 0, dead: 0)])
  }

  @Test func `the times of the last twenty attempts are kept`() throws {
    let id = try handler()
    for number in 1...30 {
      let failed = Attempt.Outcome.failed(error: "e", retryAt: time(1))
      try store.record(
        [Attempt(event: 1, number: number, at: time(Int64(number)), outcome: failed)], handler: id)
    }
    let text = try store.read { try $0.text("SELECT attempt_times FROM delivery") } ?? ""
    #expect(AttemptTimes(text: text).times == (11...30).map { time($0) })
  }

  @Test func `a handler's troubles are its own`() throws {
    let id = try handler()
    let other = try store.handlerPosition(registering: "other", at: time(1)).id
    try store.record(
      [Attempt(event: 2, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(20)))], handler: id,
      advancingTo: 2)
    #expect(try due(other, at: 1000) == [])
    #expect(try page(other, at: 1000) == DuePage(due: [], next: nil))
    #expect(try store.backlogs() == ["log": Backlog(pending: 2, dead: 0), "other": Backlog(pending: 0, dead: 0)])
  }

  @Test func `dead deliveries wait for nobody, and a duplicate of the event revives them`() throws {
    let id = try handler()
    let other = try store.handlerPosition(registering: "other", at: time(1)).id
    for id in [id, other] {
      try store.record(
        [
          Attempt(event: 1, number: 1, at: time(10), outcome: .failed(error: "e", retryAt: time(900))),
          Attempt(event: 2, number: 1, at: time(10), outcome: .dead(error: "gone")),
          Attempt(event: 3, number: 1, at: time(10), outcome: .dead(error: "gone")),
        ], handler: id, advancingTo: 3)
    }
    #expect(try due(id, at: 899) == [])
    #expect(try store.backlogs()["log"] == Backlog(pending: 1, dead: 2))

    #expect(try store.append([.other(1, receivedAt: 70), .other(2, receivedAt: 70)]) == [.duplicate, .duplicate])
    for id in [id, other] {
      #expect(try due(id, at: 69) == [])
      #expect(try due(id, at: 70) == [2])
      #expect(try store.dueDeliveries(handler: id, at: time(70), limit: 9).due.map(\.attempts) == [0])
      #expect(try due(id, at: 900) == [2, 1])
    }
    #expect(try store.backlogs()["other"] == Backlog(pending: 2, dead: 1))
  }

  @Test func `an error's text is kept, but not without end`() throws {
    let id = try handler()
    try store.record(
      [Attempt(event: 1, number: 1, at: time(1), outcome: .dead(error: String(repeating: "é", count: 9000)))],
      handler: id)
    #expect(try store.read { try $0.text("SELECT last_error FROM delivery") }?.count == 500)
  }

  @Test(arguments: [
    """
    UPDATE delivery SET next_at = 1
    WHERE handler_id IN (SELECT id FROM handler) AND event_seq = 2 AND next_at IS NULL
    """,
    """
    SELECT event.body FROM delivery CROSS JOIN event ON event.seq = delivery.event_seq
    WHERE handler_id = 1 AND next_at IS NOT NULL ORDER BY next_at
    """,
  ])
  func `no query of the dispatcher or of a duplicate reads through all deliveries`(sql: String) throws {
    let plan = try store.write { try $0.all("EXPLAIN QUERY PLAN " + sql) { try $0.text(3) } }
    #expect(!plan.contains { $0.hasPrefix("SCAN delivery") || $0.contains("TEMP B-TREE") }, "\(plan)")
  }

  /// One handler, and three events behind its position.
  private func handler() throws -> Int64 {
    let id = try store.handlerPosition(registering: "log", at: time(1)).id
    _ = try store.append([.other(1), .other(2), .other(3)])
    return id
  }

  private func page(_ handler: Int64, at now: Int64) throws -> DuePage {
    try store.dueDeliveries(handler: handler, at: time(now), limit: 9)
  }

  private func due(_ handler: Int64, at now: Int64) throws -> [Int64] {
    try page(handler, at: now).due.map(\.event.seq)
  }
}
