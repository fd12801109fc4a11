import DynamicEvents
import SQLite
import TestSupport
import Testing

@testable import RevocationStore
@testable import Storage

@Suite(.timeLimit(.minutes(2))) struct AppendTests {
  let folder: TemporaryFolder
  let store: RevocationStore

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  @Test func `each kind of event gets its outcome, in the batch's order`() throws {
    let outcomes = try store.append([.other(1), .revoking(2), .undecodable(3), .other(1)])
    #expect(outcomes == [.accepted, .accepted, .undecodable, .duplicate])
    let tally = try store.tally()
    #expect(tally.events == 3)
    #expect(tally.revocations == 1)
    #expect(tally.undecodable == 1)
  }

  @Test func `an event is stored once, in one batch or in two`() throws {
    #expect(try store.append([.revoking(1), .revoking(1)]) == [.accepted, .duplicate])
    #expect(try store.append([.revoking(1)]) == [.duplicate])
    #expect(try store.tally().events == 1)
    #expect(try store.events(after: 0, limit: 10).events.map(\.seq) == [1])
  }

  @Test func `the same event under another message is a duplicate whose message is remembered`() throws {
    #expect(try store.append([.revoking(1, message: "a")]) == [.accepted])
    #expect(try store.append([.revoking(1, message: "b"), .revoking(1, message: "a")]) == [.duplicate, .duplicate])
    #expect(try messages() == "a b")
  }

  @Test func `replays under ever new messages do not grow the row`() throws {
    for number in 0..<40 { _ = try store.append([.revoking(1, message: "m\(number)")]) }
    #expect(try messages()?.split(separator: " ").count == MessageIDs.most)
  }

  @Test(arguments: ["", "two words", "line\nbreak", "ü", String(repeating: "x", count: 65)])
  func `a message id that would not come apart again is not recorded`(id: String) throws {
    #expect(try store.append([.revoking(1, message: id)]) == [.accepted])
    #expect(try messages() == "")
  }

  @Test func `an undecodable body seen again adds no row`() throws {
    #expect(try store.append([.undecodable(1), .undecodable(1)]) == [.undecodable, .undecodable])
    #expect(try store.append([.undecodable(1)]) == [.undecodable])
    #expect(try store.tally().undecodable == 1)
    #expect(try store.tally().events == 1)
  }

  @Test func `the last delivery counts when it is a duplicate, by the clock as it is now`() throws {
    #expect(try store.tally().lastReceivedAt == nil)
    _ = try store.append([.revoking(1, receivedAt: 2000)])
    _ = try store.append([.revoking(1, receivedAt: 3000)])
    _ = try store.append([.revoking(2, receivedAt: 2500)])
    #expect(try store.tally().lastReceivedAt == time(2500))
  }

  @Test func `a number is not given out again when the newest event is gone`() throws {
    _ = try store.append([.revoking(1), .revoking(2)])
    try store.write { db in
      try db.execute("DELETE FROM event")
      try db.execute("DELETE FROM revocation")
    }
    _ = try store.append([.revoking(3)])
    #expect(try store.events(after: 0, limit: 10).events.map(\.seq) == [3])
    #expect(try store.read { try $0.numbers("SELECT seq FROM revocation") } == [3])
  }

  @Test func `when space runs out in the middle nothing is stored, and it goes on once there is space`() throws {
    _ = try store.append([.revoking(1)])
    let before = try store.tally()
    try limitPages(to: 1)
    let batch = try (2..<20).map { try IncomingEvent.revoking($0, body: [UInt8](repeating: 1, count: 8192)) }
    #expect(throws: StoreError.full(path: store.path)) { try store.append(batch) }
    #expect(try store.tally() == before)
    #expect(try store.events(after: 0, limit: 100).events.count == 1)
    #expect(try store.revocations(of: (2..<20).map { try session($0) }) == [])

    try limitPages(to: 1_000_000)
    #expect(try store.append(batch) == Array(repeating: .accepted, count: batch.count))
    #expect(try store.events(after: 0, limit: 100).events.map(\.seq) == Array(1...19))
  }

  @Test func `an empty body is stored like any other`() throws {
    #expect(try store.append([.other(1, body: [])]) == [.accepted])
    #expect(try store.events(after: 0, limit: 1).events.first?.body == [])
  }

  @Test func `a big body comes back byte for byte`() throws {
    let body = (0..<262_144).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    _ = try store.append([.other(1, body: body)])
    #expect(try store.events(after: 0, limit: 1).events.first?.body == body)
  }

  private func messages() throws -> String? {
    try store.read { try $0.text("SELECT messages FROM event") }
  }

  /// SQLite raises a lower bound to the size the file has.
  private func limitPages(to count: Int) throws {
    _ = try store.write { try $0.number("PRAGMA max_page_count = \(count)") }
  }
}
