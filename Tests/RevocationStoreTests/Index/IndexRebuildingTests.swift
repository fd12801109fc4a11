import Foundation
import Glibc
import KeyIndex
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

/// The index is damaged in every way that can be thought of. Nobody is ever taken for not revoked, or for new, and it
/// mends itself.
@Suite(.timeLimit(.minutes(2))) struct IndexRebuildingTests {
  private static let limits = KeyIndexLimits(recent: 5, fanout: 2, uncovered: 20)
  private static let numbers = Array(UInt64(1)...100)
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let damages = [
    // Its bytes.
    "UPDATE key_run SET level = 9223372036854775807", "UPDATE key_run SET level = -1",
    "UPDATE key_run SET filter = x''", "UPDATE key_run SET fences = x'01'", "UPDATE key_run SET fences = NULL",
    "UPDATE key_run SET last_seq = 9223372036854775807", "UPDATE key_run SET checksum = checksum + 1",
    "UPDATE key_run SET filter = CAST(zeroblob(8) || substr(filter, 9) AS BLOB)",
    "UPDATE key_block SET entries = x''", "UPDATE key_block SET entries = CAST(substr(entries, 1, 16) AS BLOB)",
    "UPDATE key_block SET entries = CAST(zeroblob(64) || substr(entries, 65) AS BLOB)",
    // The first entry's number.
    "UPDATE key_block SET entries = CAST(substr(entries, 1, 8) || x'7f' || substr(entries, 10) AS BLOB)",
    // One in another's place.
    "UPDATE key_block SET entries = (SELECT entries FROM key_block ORDER BY id LIMIT 1)",
    // What is missing.
    "DELETE FROM key_block", "DELETE FROM key_run", "DELETE FROM key_block; DELETE FROM key_run",
    "DELETE FROM key_run WHERE id % 2 = 0",
    "DROP TABLE key_block", "DROP TABLE key_run", "DROP TABLE key_run; DROP TABLE key_block",
    "DELETE FROM sqlite_sequence; DELETE FROM key_block",
  ]

  @Test(arguments: damages)
  func `a server that finds its index damaged when it starts builds it anew from the rows`(damage: String) throws {
    try fill().close()
    try Connection.outside(folder).execute(damage)
    let store = try open()
    try expectWhole(store)
  }

  @Test(arguments: damages)
  func `a server whose index is damaged while it runs builds it anew from the rows`(damage: String) throws {
    let store = try fill()
    try store.write { try $0.execute(damage) }
    try expectWhole(store)
    // For good.
    try store.close()
    try expectWhole(open())
  }

  @Test func `an index of an older state is extended with what it lacks, and not built anew`() throws {
    let store = try fill()
    let runs = try #require(store.indexes).events.covered
    try store.close()
    let outside = try Connection.outside(folder)
    // As a program without an index would have gone on.
    try outside.execute(
      """
      WITH RECURSIVE more(n) AS (SELECT 101 UNION ALL SELECT n + 1 FROM more WHERE n < 300)
      INSERT INTO revocation SELECT n, randomblob(16), 0, 'user', 500, n, NULL FROM more
      """)
    try outside.execute("UPDATE tally SET last_revocation = 300, revocations = 300")
    outside.close()
    let notices = Notices()
    let opened = try open(notices)
    while (try? opened.checkIndexes()) == nil { sched_yield() }
    try #require(notices.all.first?.hasPrefix("rebuilding: the index lacks rows") == true)
    #expect(try #require(opened.indexes).events.covered == runs)
    #expect(try #require(opened.indexes).revocations.covered == 300)
    try expectWhole(opened)
  }

  @Test func `what is built is announced before and after, and look-ups and appends fail meanwhile`() throws {
    let store = try fill()
    let notices = Notices()
    try store.close()
    let opened = try open(notices)
    try opened.write { try $0.execute("DELETE FROM key_block") }
    let reader = LookUpReader(opened)
    var errors: Set<String> = []
    // Until it is whole, each of them fails or is right.
    repeat {
      for number in Self.numbers {
        do {
          #expect(try reader.isAnyRevoked([session(number)]))
        } catch let error as StoreError {
          errors.insert("\(error)")
        }
        reader.roundEnded()
      }
    } while notices.all.last?.hasPrefix("rebuilt: 200 rows") != true
    #expect(errors.contains { $0.contains("is being built anew from its rows") })
    #expect(notices.all.count == 2 && notices.all[0] == "rebuilding: the index lacks one of its blocks")
    try expectWhole(opened)
  }

  @Test(arguments: 0..<8)
  func `a rebuilding that is cut short goes on where it was`(steps: Int) throws {
    let store = try fill()
    try store.clearIndexes()
    var taken = 0
    _ = try store.extendIndexes { _ in
      taken += 1
      return taken < steps
    }
    let covered = try #require(store.indexes).events.covered
    #expect(covered == min(100, Int64(5 * max(1, steps))))
    let copy = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: copy.data, withIntermediateDirectories: false)
    // What the disk holds at this moment is what a kill leaves.
    for file in ["/revoked.sqlite", "/revoked.sqlite-wal"] {
      try FileManager.default.copyItem(atPath: folder.data + file, toPath: copy.data + file)
    }
    let killed = try RevocationStore(data: copy.data, mode: .serve, keyIndex: Self.limits)
    try expectWhole(killed)
  }

  @Test func `a command does not build the index, and says who does`() throws {
    let store = try fill()
    try store.write { try $0.execute("DELETE FROM key_block") }
    try store.close()
    for mode in [StoreMode.inspect, .amend] {
      let command = try RevocationStore(data: folder.data, mode: mode)
      let error = #expect(throws: StoreError.self) {
        for number in Self.numbers where try command.revocation(of: session(number)) == nil {
          Issue.record("\(number)")
        }
      }
      #expect(error?.description.contains("`revoked store verify --rebuild`") == true)
    }
  }

  @Test func `an index that is damaged again and again is no longer built, and the store is damaged`() throws {
    let store = try fill()
    for _ in 0..<3 {
      try store.write { try $0.execute("DELETE FROM key_block") }
      try expectWhole(store)
    }
    try store.write { try $0.execute("DELETE FROM key_block") }
    let error = #expect(throws: StoreError.self) {
      for number in Self.numbers where try !LookUpReader(store).isAnyRevoked([session(number)]) {
        Issue.record("\(number)")
      }
    }
    if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
  }

  /// A page of the index's tables is overwritten: SQLite itself finds them damaged.
  @Test(arguments: ["key_block", "key_run"])
  func `pages of the index that make no sense to SQLite are thrown away`(table: String) throws {
    let store = try fill()
    let root = try #require(
      try store.read { try $0.number("SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'") })
    try store.close()
    let file = try FileHandle(forUpdating: URL(filePath: folder.database))
    try file.seek(toOffset: UInt64(root - 1) * 4096)
    try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
    try file.close()
    let opened = try open()
    // Not every such page can be let go of; then the store is damaged, and says so.
    do {
      try expectWhole(opened)
    } catch StoreError.corrupt {
      #expect(opened.health.damage != nil)
    }
  }

  private func fill() throws -> RevocationStore {
    let store = try open()
    for start in stride(from: 0, to: Self.numbers.count, by: 7) {
      _ = try store.append(Self.numbers[start..<min(start + 7, 100)].map { try .revoking($0) })
    }
    return store
  }

  private func open(_ notices: Notices? = nil) throws -> RevocationStore {
    try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits) { notices?.add($0) }
  }

  /// Until the store is whole, look-ups and appends may fail, and may do nothing else. In the end all is found, and
  /// nothing else.
  private func expectWhole(_ store: RevocationStore) throws {
    let reader = LookUpReader(store)
    var new: UInt64 = 2_000_000
    var isWhole = false
    while !isWhole {
      do {
        for number in Self.numbers {
          #expect(try reader.isAnyRevoked([session(number)]), "\(number)")
          reader.roundEnded()
        }
        for number in Self.numbers { #expect(try store.append([.revoking(number)]) == [.duplicate], "\(number)") }
        #expect(try !reader.isAnyRevoked((1_000_000...1_000_100).map { try session($0) }))
        // So many that all runs are merged.
        for _ in 0..<40 {
          new += 1
          #expect(try store.append([.revoking(new)]) == [.accepted])
          #expect(try store.append([.revoking(new)]) == [.duplicate])
        }
        try store.forget("seq > 100")
        let faults = try store.read { db in
          try [IndexedTable.event, .revocation].flatMap { table in
            let index = KeyIndex(of: table, limits: Self.limits)
            try index.load(last: 1 << 40, db)
            return try index.findFaults(db) { _ in }
          }
        }
        #expect(faults == [])
        isWhole = true
      } catch StoreError.rebuildingIndex {
        sched_yield()
      } catch StoreError.overtaken {
        sched_yield()
      }
    }
  }
}

/// What a store has told, as texts.
private final class Notices: Sendable {
  private let texts = Mutex<[String]>([])

  var all: [String] { texts.withLock(\.self) }

  func add(_ notice: StoreNotice) {
    let text =
      switch notice {
      case .rebuildingIndex(let cause): "rebuilding: \(cause)"
      case .rebuiltIndex(let rows, _): "rebuilt: \(rows) rows"
      default: "\(notice)"
      }
    texts.withLock { $0.append(text) }
  }
}
