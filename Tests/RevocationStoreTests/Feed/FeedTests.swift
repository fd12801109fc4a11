import DynamicEvents
import Foundation
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

private let day: Int64 = 86_400_000
private let noon = 20_000 * day + day / 2

@Suite(.timeLimit(.minutes(2))) struct FeedTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  func open(_ folder: TemporaryFolder? = nil) throws -> RevocationStore {
    try RevocationStore(data: (folder ?? self.folder).data, mode: .serve)
  }

  /// A session that expires so many days after noon.
  func revoking(_ number: UInt64, event: UInt64? = nil, expiringIn days: Int64 = 20) throws -> IncomingEvent {
    try .revoking(
      number, event: event, revokedAt: noon, createdAt: noon + (days - 30) * day, occurredAt: noon, receivedAt: noon)
  }

  /// By which the store knows that it is so late.
  func receiveSomething(_ store: RevocationStore, at now: Int64) throws {
    var event = try IncomingEvent.revoking(9_999, receivedAt: now)
    event.kind = .other(name: "user.created")
    _ = try store.append([event])
  }

  /// What a caller gets that asks until there is no more.
  func all(
    _ store: RevocationStore, after position: Int64 = 0, limit: Int = 3, at now: Int64 = noon
  ) throws -> [FeedEntry] {
    var entries: [FeedEntry] = []
    var position = position
    while true {
      let page = try store.feed(after: position, limit: limit, at: time(now))
      entries += page.entries
      position = page.end
      if page.isLast { return entries }
    }
  }

  func sessions(_ entries: [FeedEntry]) throws -> [UInt64] {
    entries.compactMap(\.session).map { $0.bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }
  }

  @Test(arguments: [1, 2, 3, 9, 10, 11, 100])
  func `every session comes once and in the order of revocation, whatever the page's size`(limit: Int) throws {
    let store = try open()
    _ = try store.append((1...10).map { try revoking($0) })
    let entries = try all(store, limit: limit)
    #expect(try sessions(entries) == Array(1...10))
    #expect(entries.map(\.cursor.seq) == Array(1...10))
    #expect(entries[0].subject == .session(try session(1), revokedAt: time(noon)))
    #expect(entries[0].expiresAt == time(noon + 20 * day + day / 24))
    for entry in entries { #expect(store.knows(entry.cursor)) }
    #expect(try sessions(all(store, after: entries[6].cursor.seq)) == [8, 9, 10])
    #expect(try all(store, after: 10) == [])
  }

  @Test func `an empty store has an empty feed`() throws {
    let page = try open().feed(after: 0, limit: 5, at: time(noon))
    #expect(page.entries.isEmpty)
    #expect(page.isLast)
  }

  @Test func `a session whose expiry grows comes again at the end, and stands once`() throws {
    let store = try open()
    _ = try store.append((1...4).map { try revoking($0) })
    _ = try store.append([revoking(2, event: 12, expiringIn: 25), revoking(3, event: 13, expiringIn: 10)])
    let entries = try all(store)
    #expect(try sessions(entries) == [1, 3, 4, 2])
    #expect(entries[3].expiresAt == time(noon + 25 * day + day / 24))
    #expect(try sessions(all(store, after: 4)) == [2])
  }

  @Test func `rows that move or are forgotten are counted as departures, and new ones are not`() throws {
    let store = try open()
    let departures = { try store.feed(after: 0, limit: 1, at: time(noon)).departures }
    _ = try store.append((1...4).map { try revoking($0) })
    let before = try departures()
    _ = try store.append([revoking(5), revoking(5, event: 15), revoking(2, event: 12, expiringIn: 10)])
    #expect(try departures() == before)
    _ = try store.append([revoking(2, event: 13, expiringIn: 25)])
    #expect(try departures() == before + 1)
    let later = noon + 21 * day
    try receiveSomething(store, at: later)
    var step: PruneStep? = .first
    while let next = step { step = try store.prune(next, at: time(later), handlers: []) }
    #expect(try store.tally().revocations == 1)
    #expect(try departures() == before + 5)
  }

  @Test func `what has expired is left out, and its place is not come back to`() throws {
    let store = try open()
    let later = noon + 21 * day
    _ = try store.append([revoking(1), revoking(2, expiringIn: 30), revoking(3), revoking(4)])
    try receiveSomething(store, at: later)
    #expect(try sessions(all(store, limit: 1, at: later)) == [2])
    #expect(try store.feed(after: 2, limit: 5, at: time(later)).end == 4)
    var step: PruneStep? = .first
    while let next = step { step = try store.prune(next, at: time(later), handlers: []) }
    #expect(try store.tally().revocations == 1)
    let page = try store.feed(after: 2, limit: 5, at: time(later))
    #expect(page.isLast)
    #expect(page.end == 4)
  }

  @Test func `a clock that is far ahead of the last delivery leaves nothing out`() throws {
    let store = try open()
    _ = try store.append([revoking(1), revoking(2)])
    #expect(try sessions(all(store, at: noon + 100 * day)) == [1, 2])
    try receiveSomething(store, at: noon + 100 * day)
    #expect(try sessions(all(store, at: noon + 100 * day)) == [])
  }

  @Test(arguments: 0..<20)
  func `whoever reads to the end has all that is revoked by then, whatever happens between the pages`(
    seed: UInt64
  ) throws {
    var random = SplitMix(seed: seed)
    let store = try open()
    var event: UInt64 = 1000
    var seen: [SessionID: Timestamp] = [:]
    var lastSeq: Int64 = 0
    var position: Int64 = 0
    _ = try store.append((1...30).map { try revoking($0) })
    for _ in 0..<200 {
      let page = try store.feed(after: position, limit: Int.random(in: 1...5, using: &random), at: time(noon))
      for entry in page.entries {
        #expect(entry.cursor.seq > lastSeq)
        lastSeq = entry.cursor.seq
        let session = try #require(entry.session)
        if let known = seen[session] { #expect(entry.expiresAt > known) }
        seen[session] = entry.expiresAt
      }
      position = page.end
      if page.isLast {
        let live = try store.read { db in
          try db.all("SELECT session, remember_from FROM revocation") { try ($0.blob(0), time($0.integer(1))) }
        }
        for (bytes, rememberedFrom) in live {
          let session = try #require(SessionID(bytes: bytes))
          #expect(seen[session] == store.retention.expiresAt(rememberedFrom: rememberedFrom, at: time(0)))
        }
      }
      // A new session, or an old one that now lasts longer.
      let number = UInt64.random(in: 1...60, using: &random)
      event += 1
      if Bool.random(using: &random) {
        _ = try store.append([revoking(number, event: event, expiringIn: Int64.random(in: 5...30, using: &random))])
      }
    }
  }

  @Test func `a cursor is good across restarts`() throws {
    var store = try open()
    _ = try store.append((1...3).map { try revoking($0) })
    let cursor = try all(store)[1].cursor
    for _ in 0..<3 {
      try store.close()
      store = try open()
      #expect(store.knows(cursor))
      #expect(store.lastRevocation == 3)
    }
    #expect(try store.read { try $0.number("SELECT count(*) FROM feed_epoch") } == 2)
    #expect(try sessions(all(store, after: cursor.seq)) == [3])
    _ = try store.append([revoking(4)])
    let entries = try all(store)
    #expect(try sessions(entries) == [1, 2, 3, 4])
    #expect(Set(entries.map(\.cursor.epoch)).count == 2)
    for entry in entries { #expect(store.knows(entry.cursor)) }
  }

  @Test func `a cursor of another store, or of what is yet to come, is not known`() throws {
    let elsewhere = try TemporaryFolder()
    let (store, other) = (try open(), try open(elsewhere))
    for each in [store, other] { _ = try each.append([revoking(1)]) }
    let cursor = try all(store)[0].cursor
    #expect(try !store.knows(all(other)[0].cursor))
    #expect(!store.knows(FeedCursor(epoch: cursor.epoch, seq: 2)))
    #expect(!store.knows(FeedCursor(epoch: cursor.epoch, seq: .max)))
    #expect(!store.knows(FeedCursor(epoch: cursor.epoch &+ 1, seq: 1)))
    // Nothing read is missing from any history.
    #expect(store.knows(FeedCursor(epoch: cursor.epoch &+ 1, seq: 0)))
  }

  @Test
  func
    `after an older backup is restored, cursors from beyond it are not known, however far the store has grown again`()
    throws
  {
    var store = try open()
    _ = try store.append((1...5).map { try revoking($0) })
    try store.close()
    let backup = folder.path + "/backup"
    try FileManager.default.copyItem(atPath: folder.database, toPath: backup)
    store = try open()
    _ = try store.append((6...9).map { try revoking($0) })
    let before = try all(store)
    try store.close()
    // In place, so that the file is the same by its number.
    try Data(contentsOf: URL(filePath: backup)).write(to: URL(filePath: folder.database), options: [])
    store = try open()
    for entry in before { #expect(store.knows(entry.cursor) == (entry.cursor.seq <= 5)) }
    _ = try store.append((20...40).map { try revoking($0) })
    for entry in before { #expect(store.knows(entry.cursor) == (entry.cursor.seq <= 5)) }
    for entry in try all(store) { #expect(store.knows(entry.cursor)) }
  }

  @Test
  func `numbers that a command gives out on a restored backup, without a server, are of no epoch before`() throws {
    // One opening for the backup and for what came after it.
    var store = try open()
    _ = try store.append((1...5).map { try revoking($0) })
    let restored = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: restored.data, withIntermediateDirectories: true)
    _ = try store.backUp(to: restored.database)
    _ = try store.append((6...9).map { try revoking($0) })
    let before = try all(store)
    try store.close()
    let command = try RevocationStore(data: restored.data, mode: .amend)
    _ = try command.append((20...25).map { try revoking($0) })
    try command.close()
    store = try open(restored)
    for entry in before { #expect(store.knows(entry.cursor) == (entry.cursor.seq <= 5)) }
    for entry in try all(store) { #expect(store.knows(entry.cursor)) }
  }

  @Test func `an opening that cannot be written down serves all the same, and its cursors end with it`() throws {
    var store = try open()
    _ = try store.append([revoking(1)])
    try store.write { db in
      try db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON feed_epoch BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    }
    try store.close()
    store = try open()
    _ = try store.append([revoking(2)])
    let entries = try all(store)
    for entry in entries { #expect(store.knows(entry.cursor)) }
    try store.close()
    store = try open()
    #expect(entries.map { store.knows($0.cursor) } == [true, false])
  }

  @Test(
    arguments: [
      (FeedCursor(epoch: 0, seq: 1), "00000000-1"),
      (FeedCursor(epoch: 0, seq: 0), "00000000-0"),
      (FeedCursor(epoch: .max, seq: .max), "ffffffff-9223372036854775807"),
      (FeedCursor(epoch: 0x0123_abcd, seq: 10_000_000), "0123abcd-10000000"),
    ])
  func `a cursor is written and read back`(cursor: FeedCursor, text: String) {
    var bytes: [UInt8] = []
    cursor.append(to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
    #expect(FeedCursor(bytes.span) == cursor)
  }

  @Test(
    arguments: [
      "", "1", "-1", "00000000-", "00000000-00", "00000000-01", "0000000-1", "000000000-1", "0000000G-1", "0000000A-1",
      "00000000-+1", "00000000--1", "00000000-1 ", " 00000000-1", "00000000-9223372036854775808", "00000000-1a",
      "00000000-99999999999999999999", "00000000_1", "00000000-%31",
    ])
  func `anything else is none`(text: String) {
    let bytes = Array(text.utf8)
    #expect(FeedCursor(bytes.span) == nil)
  }
}
