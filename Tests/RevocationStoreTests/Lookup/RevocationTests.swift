import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct RevocationTests {
  let folder: TemporaryFolder
  let store: RevocationStore

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  @Test func `a session is revoked once its event is appended, and no other is`() throws {
    _ = try store.append([.revoking(1, by: .admin, revokedAt: 1000)])
    #expect(
      try store.revocation(of: session(1))
        == Revocation(session: session(1), revokedAt: time(1000), by: .admin, eventID: "event-1"))
    #expect(try store.revocation(of: session(2)) == nil)
  }

  @Test func `a later event for the session changes nothing of what the feed showed`() throws {
    _ = try store.append([.revoking(1, event: 10, by: .user, revokedAt: 1000)])
    _ = try store.append([
      .revoking(1, event: 11, by: .admin, revokedAt: 5000), .revoking(1, event: 12, by: .admin, revokedAt: 1),
    ])
    let revocation = try #require(try store.revocation(of: session(1)))
    #expect(revocation.revokedAt == time(1000))
    #expect(revocation.by == .user)
    #expect(revocation.eventID == "event-10")
    #expect(try store.tally().revocations == 1)
    #expect(try store.tally().events == 3)
  }

  @Test func `a session is remembered as long as the most demanding of its events asks`() throws {
    _ = try store.append([.revoking(1, event: 10, createdAt: 500)])
    _ = try store.append([.revoking(1, event: 11, createdAt: 900), .revoking(1, event: 12, createdAt: 100)])
    #expect(try rememberedFrom() == 900)
  }

  @Test(
    arguments: [
      (500, 1000, 1500, 500, 1000), (nil, 1000, 1500, 1000, 1000), (nil, nil, 1500, 1500, 1500),
      (nil, nil, nil, 2000, 2000), (500, nil, nil, 500, 2000),
    ] as [(Int64?, Int64?, Int64?, Int64, Int64)])
  func `what an event leaves out is taken from the next best time`(
    createdAt: Int64?, revokedAt: Int64?, occurredAt: Int64?, rememberFrom: Int64, answer: Int64
  ) throws {
    _ = try store.append([
      .revoking(1, revokedAt: revokedAt, createdAt: createdAt, occurredAt: occurredAt, receivedAt: 2000)
    ])
    #expect(try rememberedFrom() == rememberFrom)
    #expect(try store.revocation(of: session(1))?.revokedAt == time(answer))
  }

  @Test func `two sessions under one event id are both revoked`() throws {
    #expect(try store.append([.revoking(1, event: 9), .revoking(2, event: 9)]) == [.accepted, .duplicate])
    #expect(try store.revocations(of: [session(1), session(2)]).count == 2)
  }

  @Test func `every session that one event names is revoked, also by its redelivery`() throws {
    var event = try IncomingEvent.revoking(1)
    guard case .sessionRevoked(var revoked) = event.kind else { return }
    revoked.otherSessions = try [session(2), session(3)]
    event.kind = .sessionRevoked(revoked)
    #expect(try store.append([event]) == [.accepted])
    #expect(try store.revocations(of: [session(1), session(2), session(3), session(4)]).count == 3)
    #expect(try store.tally().revocations == 3)
    revoked.otherSessions = try [session(4)]
    event.kind = .sessionRevoked(revoked)
    #expect(try store.append([event]) == [.duplicate])
    #expect(try store.revocation(of: session(4)) != nil)
    #expect(try store.tally().events == 1)
  }

  @Test func `a test event revokes, and is no sign of Dynamic`() throws {
    var event = try IncomingEvent.revoking(1, receivedAt: 7000)
    event.isTest = true
    _ = try store.append([event])
    #expect(try store.revocation(of: session(1)) != nil)
    #expect(try store.tally().lastReceivedAt == nil)
    _ = try store.append([.revoking(2, receivedAt: 8000)])
    _ = try store.append([event])
    #expect(try store.tally().lastReceivedAt == time(8000))
  }

  @Test func `another process sees a commit at once`() throws {
    let other = try RevocationStore(data: folder.data, mode: .inspect)
    for number in UInt64(1)...20 {
      #expect(try other.revocation(of: session(number)) == nil)
      _ = try store.append([.revoking(number)])
      #expect(try other.revocation(of: session(number)) != nil)
      #expect(try store.revocation(of: session(number)) != nil)
    }
  }

  private func rememberedFrom() throws -> Int64? {
    try store.read { try $0.number("SELECT remember_from FROM revocation") }
  }
}
