import Dispatch
import DynamicEvents
import Glibc
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct DeadLetterTests {
  let folder: TemporaryFolder
  let server: RevocationStore
  let command: RevocationStore
  let audit: Int64
  let purge: Int64

  /// Events 1 to 5, of which 4 cannot be decoded; dead are 1, 2 and 3 with `audit`, and 2 with `purge`; 5 is being
  /// retried by `audit`.
  init() throws {
    folder = try TemporaryFolder()
    server = try RevocationStore(data: folder.data, mode: .serve)
    audit = try server.handlerPosition(registering: "audit", at: time(1)).id
    purge = try server.handlerPosition(registering: "purge", at: time(1)).id
    _ = try server.append([.revoking(1), .revoking(2), .other(3), .undecodable(4), .revoking(5)])
    try server.record(
      [
        Attempt(event: 1, number: 1, at: time(3000), outcome: .failed(error: "first", retryAt: time(3100))),
        Attempt(event: 5, number: 1, at: time(3000), outcome: .failed(error: "busy", retryAt: time(9000))),
        Attempt(event: 2, number: 1, at: time(4000), outcome: .dead(error: "gone")),
        Attempt(event: 3, number: 1, at: time(5000), outcome: .dead(error: "gone")),
      ], handler: audit, advancingTo: 5)
    try server.record(
      [Attempt(event: 1, number: 2, at: time(6000), outcome: .dead(error: "second"))], handler: audit)
    try server.record(
      [Attempt(event: 2, number: 1, at: time(7000), outcome: .dead(error: "refused"))], handler: purge, advancingTo: 5)
    command = try RevocationStore(data: folder.data, mode: .amend)
  }

  @Test func `a dead letter tells who gave up what, when, after which attempts and why`() throws {
    let first = try #require(try command.deadLetters(DeadLetterFilter(), after: nil, limit: 1).first)
    #expect(
      first
        == DeadLetter(
          id: DeadLetterID(event: 1, handler: "audit"), eventName: "user.session.revoked", receivedAt: time(2000),
          attempts: 2, attemptTimes: [time(3000), time(6000)], diedAt: time(6000), error: "second"))
    let undecodable = try #require(try command.deadLetters(DeadLetterFilter(event: 4), after: nil, limit: 9).first)
    #expect(undecodable.id == DeadLetterID("4") && undecodable.eventName == nil)
    #expect(undecodable.error == "the body is not JSON" && undecodable.diedAt == time(2000))
  }

  @Test(arguments: [
    (DeadLetterFilter(), ["1/audit", "2/audit", "2/purge", "3/audit", "4"]),
    (DeadLetterFilter(handler: "audit"), ["1/audit", "2/audit", "3/audit"]),
    (DeadLetterFilter(handler: "nobody"), []),
    (DeadLetterFilter(since: time(5000)), ["1/audit", "2/purge", "3/audit"]),
    (DeadLetterFilter(since: time(2000)), ["1/audit", "2/audit", "2/purge", "3/audit", "4"]),
    (DeadLetterFilter(event: 2), ["2/audit", "2/purge"]), (DeadLetterFilter(event: 4), ["4"]),
    (DeadLetterFilter(event: 5), []), (DeadLetterFilter(handler: "purge", since: time(7001)), []),
  ])
  func `dead letters are found, counted and paged in the order of their ids`(
    filter: DeadLetterFilter, ids: [String]
  ) throws {
    #expect(try command.deadLetters(filter, after: nil, limit: 9).map(\.id.description) == ids)
    #expect(try command.deadLetterCount(filter) == ids.count)
    for size in 1...3 {
      var paged: [DeadLetterID] = []
      while true {
        let page = try command.deadLetters(filter, after: paged.last, limit: size)
        if page.isEmpty { break }
        paged += page.map(\.id)
      }
      #expect(paged.map(\.description) == ids)
    }
  }

  @Test func `what is replayed is due at once, as often as a new event, and nothing else is touched`() throws {
    let ids = try ["2/audit", "5/audit", "9/audit", "1/nobody", "1", "2/audit"].map { try #require(DeadLetterID($0)) }
    #expect(try command.replay(ids, at: time(8000)) == [ids[0]])
    let due = try server.dueDeliveries(handler: audit, at: time(8000), limit: 9)
    #expect(due.due.map(\.event.seq) == [2] && due.due.map(\.attempts) == [0] && due.next == time(9000))
    #expect(try server.dueDeliveries(handler: purge, at: time(8000), limit: 9).due == [])
    #expect(try server.backlogs() == ["audit": Backlog(pending: 2, dead: 2), "purge": Backlog(pending: 0, dead: 1)])
    #expect(try command.replay(ids, at: time(8000)) == [])
  }

  @Test func `what is discarded is gone, and nothing else`() throws {
    let before = try server.tally()
    let ids = try ["2/audit", "5/audit", "4", "3", "1/nobody"].map { try #require(DeadLetterID($0)) }
    #expect(try command.discard(ids) == [ids[0], ids[2]])
    #expect(
      try command.deadLetters(DeadLetterFilter(), after: nil, limit: 9).map(\.id.description)
        == ["1/audit", "2/purge", "3/audit"])
    #expect(try server.event(4) == nil)
    #expect(try server.event(2)?.handlers.map(\.state) == [.done, .dead(attempts: 1, error: "refused")])
    let after = try server.tally()
    #expect(after.events == before.events - 1 && after.undecodable == 0 && after.revocations == before.revocations)
    #expect(try server.append([.revoking(6)]) == [.accepted])
    #expect(try server.tally().lastEvent == 6)
  }

  @Test func `what still cannot be decoded stays a dead letter, with what this release says of it`() throws {
    let before = try server.tally()
    #expect(try command.replay([DeadLetterID(event: 4, handler: nil)], at: time(8000)) == [])
    #expect(try server.tally() == before)
    let problem = try #require(try server.event(4)?.problem)
    let reason = #expect(throws: UndecodableReason.self) { try Event(body: [0xFF]) }
    #expect(problem == reason?.description)
  }

  @Test func `what can be decoded now revokes its session, and is a new event for every handler`() throws {
    let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let revoked = try #require(SessionID(id))
    try store(
      #"{"eventId":"e-7","messageId":"m","eventName":"admin.user.session.revoked","data":{"id":"\#(id)"}}"#)
    #expect(try server.revocation(of: revoked) == nil)
    let before = try server.tally()
    #expect(try command.replay([DeadLetterID(event: 6, handler: nil)], at: time(8000)).map(\.event) == [6])

    #expect(
      try server.revocation(of: revoked)
        == Revocation(session: revoked, revokedAt: time(2500), by: .admin, eventID: "e-7"))
    let after = try server.tally()
    #expect(after.undecodable == before.undecodable - 1 && after.events == before.events)
    #expect(after.revocations == before.revocations + 1 && after.lastReceivedAt == before.lastReceivedAt)
    #expect(try server.event(6) == nil)
    let event = try #require(try server.event(7))
    #expect(event.name == "admin.user.session.revoked" && event.problem == nil && event.receivedAt == time(8000))
    #expect(event.messageIDs == ["m"] && event.handlers.map(\.state) == [.waiting, .waiting])
    #expect(try server.events(after: 5, limit: 9).events.map(\.seq) == [7])
    let key = try #require(try EventKey(eventId: "e-7".utf8.span))
    #expect(try server.event(key)?.seq == 7)
    #expect(try command.deadLetterCount(DeadLetterFilter()) == 5)
  }

  @Test(arguments: [true, false])
  func `what came again meanwhile and was understood is not kept twice`(byCommand: Bool) throws {
    let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let body = #"{"eventId":"e-7","eventName":"user.session.revoked","data":{"id":"\#(id)"}}"#
    try store(body)
    let key = try #require(try EventKey(eventId: "e-7".utf8.span))
    _ = try server.append([
      IncomingEvent(
        key: key, messageID: nil, body: Array(body.utf8), receivedAt: time(2600), occurredAt: nil,
        kind: .other(name: "user.session.revoked"))
    ])
    let before = try server.tally()
    let replaying = byCommand ? command : server
    #expect(try replaying.replay([DeadLetterID(event: 6, handler: nil)], at: time(8000)).count == 1)
    let after = try server.tally()
    #expect(after.events == before.events - 1 && after.undecodable == before.undecodable - 1)
    #expect(after.lastEvent == before.lastEvent)
    #expect(try server.revocation(of: #require(SessionID(id))) != nil)
    #expect(try server.event(key)?.seq == 7)
  }

  /// Such an event is told apart by its bytes, before it is understood and afterwards.
  @Test func `what can be decoded now and has no id of its own is delivered as well`() throws {
    let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let body = #"{"messageId":"m","eventName":"user.session.revoked","data":{"id":"\#(id)"}}"#
    try store(body)
    let before = try server.tally()
    #expect(try command.replay([DeadLetterID(event: 6, handler: nil)], at: time(8000)).map(\.event) == [6])
    let after = try server.tally()
    #expect(after.undecodable == before.undecodable - 1 && after.events == before.events)
    #expect(try server.revocation(of: #require(SessionID(id))) != nil)
    #expect(try server.events(after: 5, limit: 9).events.map(\.seq) == [7])
    #expect(try server.event(EventKey(ofBody: Array(body.utf8).span))?.seq == 7)
  }

  @Test func `a command's writing and a server's take turns, and neither is refused`() throws {
    #expect(throws: StoreError.missing(path: folder.path + "/none/revoked.sqlite")) {
      try RevocationStore(data: folder.path + "/none", mode: .amend)
    }
    #expect(try command.write { try $0.number("PRAGMA synchronous") } == 2)
    let failures = Mutex<[String]>([])
    let appended = Atomic<UInt64>(0)
    DispatchQueue.concurrentPerform(iterations: 2) { side in
      defer { if side == 0 { appended.store(.max, ordering: .releasing) } }
      do {
        for number in UInt64(10)..<210 {
          if side == 0 {
            _ = try server.append([.revoking(number)])
            appended.store(number, ordering: .releasing)
          } else {
            // Without a pause it would keep the lock of a slow disk from the server, which looks ten times a second.
            while appended.load(ordering: .acquiring) < number - 5 { sched_yield() }
            _ = try command.replay([DeadLetterID(event: 2, handler: "purge")], at: time(1))
          }
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(try server.tally().lastEvent == 205)
  }

  /// As a release left it that did not understand the body. It is number 6.
  private func store(_ body: String) throws {
    _ = try server.append([
      IncomingEvent(
        key: EventKey(ofBody: Array(body.utf8).span), messageID: "m", body: Array(body.utf8), receivedAt: time(2500),
        occurredAt: nil, kind: .undecodable(problem: "unheard of"))
    ])
    for handler in [audit, purge] { try server.record([], handler: handler, advancingTo: 6) }
  }
}
