internal import CFaultyDisk
import DynamicEvents
import Foundation
import GRDB
import TestSupport
import Testing

@testable import RevocationStore

/// Every older version's file, as SQLite's own dump has it, opened by this one. Each holds the same: a session revoked by its user and
/// remembered for longer since, one by an admin, an event without a session, and a delivery that could not be decoded; "log" gave one up,
/// "forward" waits to retry one.
@Suite struct MigrationTests {
  /// A new version needs the dump of the one before.
  private static let versions = 1...7

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func `there is a file of every older version`() {
    #expect(Self.versions.upperBound >= Schema.version - 1)
  }

  @Test(arguments: versions)
  func `an older version's file becomes what a new one is`(version: Int) throws {
    let store = try open(version)
    let new = try RevocationStore(data: folder.path + "/new", mode: .serve)
    let tables = { (store: RevocationStore) in
      try store.read { try Row.fetchAll($0, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name") }
    }
    #expect(try tables(store) == tables(new))
    #expect(try store.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == Schema.version)
    #expect(try store.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
  }

  @Test(arguments: versions)
  func `a migration is told before it begins, and a start without one tells nothing`(version: Int) throws {
    try restore(version, to: folder)
    var told: [[Int]] = []
    for _ in 0..<2 {
      let store = try RevocationStore(data: folder.data, mode: .serve) { from, to in
        let found = try? DatabaseQueue(path: folder.database).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(found == version)
        told.append([from, to])
      }
      try store.close()
    }
    #expect(told == [[version, Schema.version]])
    try RevocationStore(data: folder.path + "/new", mode: .serve) { told.append([$0, $1]) }.close()
    #expect(told.count == 1)
  }

  @Test(arguments: versions)
  func `what an older version stored is all there, also after a restart`(version: Int) throws {
    let store = try open(version)
    try check(store, version)
    try store.close()
    try check(RevocationStore(data: folder.data, mode: .serve), version)
  }

  @Test(arguments: versions)
  func `work goes on where an older version left it`(version: Int) throws {
    let store = try open(version)
    #expect(try store.append([.revoking(1), .revoking(9, receivedAt: 2005)]) == [.duplicate, .accepted])
    #expect(try store.events(after: 4, limit: 9).events.map(\.seq) == [5])
    #expect(try store.feed(after: 3, limit: 9, at: time(3000)).entries.map(\.session) == [session(1), session(9)])

    #expect(try store.dueDeliveries(handler: 2, at: time(8999), limit: 9).next == time(9000))
    let due = try store.dueDeliveries(handler: 2, at: time(9000), limit: 9).due
    #expect(due.map(\.event.seq) == [1])
    #expect(due.map(\.attempts) == [1])
    #expect(try store.replay([DeadLetterID(event: 2, handler: "log")], at: time(9000)).count == 1)
    #expect(try store.dueDeliveries(handler: 1, at: time(9000), limit: 9).due.map(\.event.seq) == [2])
    #expect(try store.discard([DeadLetterID(event: 3, handler: nil)]).count == 1)
    #expect(try store.tally().undecodable == 0)
  }

  @Test(arguments: versions)
  func `look-ups of what an older version stored are answered from the copies in the runs`(version: Int) throws {
    try restore(version, to: folder)
    let file = try DatabaseQueue(path: folder.database)
    let eventID = "00112233-4455-6677-8899-aabbccddeeff"
    try file.write { try $0.execute(sql: "UPDATE revocation SET event_id = ?", arguments: [eventID]) }
    try file.close()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    // The rows are where nobody looks.
    try store.write { try $0.execute(sql: "UPDATE revocation SET seq = seq + 100") }
    #expect(
      try store.revocations(of: [session(101), session(102), session(103)]) == [
        Revocation(session: session(101), revokedAt: time(1001), by: .user, eventID: eventID),
        Revocation(session: session(102), revokedAt: time(1004), by: .admin, eventID: eventID),
      ])
    // By its name a program that was there before would find the runs, and take them for another kind.
    #expect(
      try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM key_run WHERE indexed = 'revocation'") } == 0)
    #expect(
      try store.read {
        try Int.fetchOne($0, sql: "SELECT count(*) FROM key_block WHERE id >> 20 NOT IN (SELECT id FROM key_run)")
      } == 0)
  }

  /// Its writes fail from the n-th on, and the process is killed or the power cut.
  @Test(arguments: versions)
  func `a migration that is cut short leaves a store that the next start migrates`(version: Int) throws {
    let healthy = try FaultyDisk()
    try restore(version, to: healthy.folder)
    let before = healthy.calls
    try RevocationStore(data: healthy.folder.data, mode: .serve).close()
    let calls = healthy.calls - before
    #expect(calls > 20)
    for n in stride(from: 1 + Int64(version) % 3, through: calls, by: LongRun.isAsked ? 1 : 5) {
      let disk = try FaultyDisk()
      try restore(version, to: disk.folder)
      disk.fail(at: n, count: .max / 2, n % 2 == 0 ? FaultyDiskFails : FaultyDiskTears)
      var store = try? RevocationStore(data: disk.folder.data, mode: .serve)
      disk.stop()
      store = nil
      if n % 3 == 0 { disk.cutPower(seed: UInt64(n)) } else { disk.restart() }
      store = try RevocationStore(data: disk.folder.data, mode: .serve)
      try check(#require(store), version)
    }
  }

  private func check(_ store: RevocationStore, _ version: Int) throws {
    #expect(
      try store.tally()
        == Tally(
          lastEvent: 4, lastRevocation: 3, events: 4, revocations: 2, undecodable: 1, lastReceivedAt: time(2004)))
    #expect(
      try store.revocations(of: [session(101), session(102), session(103)]) == [
        Revocation(session: session(101), revokedAt: time(1001), by: .user, eventID: "event-1"),
        Revocation(session: session(102), revokedAt: time(1004), by: .admin, eventID: nil),
      ])

    let feed = try store.feed(after: 0, limit: 9, at: time(3000)).entries
    #expect(try feed.map(\.session) == [session(102), session(101)])
    #expect(
      feed.map(\.expiresAt) == [604, 801].map { store.retention.expiresAt(rememberedFrom: time($0), at: time(3000)) })
    #expect(feed.allSatisfy { store.knows($0.cursor) })
    if version >= 3 { #expect(feed.map(\.cursor.epoch) == [2_882_400_001, 305_419_896]) }

    #expect(try store.handlerPosition(registering: "log", at: time(3000)) == HandlerCursor(id: 1, position: 4))
    #expect(try store.handlerPosition(registering: "forward", at: time(3000)) == HandlerCursor(id: 2, position: 2))
    #expect(try store.backlogs() == ["log": Backlog(pending: 0, dead: 1), "forward": Backlog(pending: 3, dead: 0)])
    let dead = try store.deadLetters(DeadLetterFilter(), after: nil, limit: 9)
    #expect(dead.map(\.id.description) == ["2/log", "3"])
    #expect(dead.map(\.error) == ["no route", "the body is not JSON"])
    #expect(dead.map(\.attempts) == [3, 0])
    #expect(dead.first?.attemptTimes == (version >= 2 ? [2300, 2400, 2500].map(time) : []))

    let first = try #require(try store.event(1))
    #expect(first.name == "user.session.revoked")
    #expect(first.messageIDs == ["m-1", "m-2"])
    #expect(first.body == [1, 2, 3])
    #expect(first.receivedAt == time(2001) && first.occurredAt == time(1500))
    #expect(
      first.handlers == [
        EventSummary.Handler(name: "forward", state: .retrying(attempts: 1, at: time(9000), error: "timeout")),
        EventSummary.Handler(name: "log", state: .done),
      ])
    #expect(try store.latestEvents(EventFilter(), before: nil, limit: 9).map(\.seq) == [4, 3, 2, 1])
  }

  /// The dump as a file, and this version's store on it.
  private func open(_ version: Int) throws -> RevocationStore {
    try restore(version, to: folder)
    return try RevocationStore(data: folder.data, mode: .serve)
  }

  private func restore(_ version: Int, to folder: TemporaryFolder) throws {
    let dump = try #require(Bundle.module.url(forResource: "Fixtures/schema-\(version)", withExtension: "sql"))
    try FileManager.default.createDirectory(atPath: folder.data, withIntermediateDirectories: false)
    let file = try DatabaseQueue(path: folder.database)
    try file.writeWithoutTransaction { try $0.execute(sql: String(contentsOf: dump, encoding: .utf8)) }
    #expect(try file.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == version)
    try file.close()
  }
}
