internal import CFaultyDisk
import DynamicEvents
import Foundation
import KeyIndex
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

/// A made-up next version, since there is none yet.
@Suite(.timeLimit(.minutes(2))) struct MigrationTests {
  private static let next = Schema(
    migrations: Schema.current.migrations + [
      { db in
        try db.execute("ALTER TABLE event ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
        try db.execute("UPDATE event SET size = length(body)")
      }
    ])

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func `an older store is announced, then migrated with all that it holds, and once only`() throws {
    try fill(folder)
    let announced = Mutex<[[Int]]>([])
    for _ in 0..<2 {
      let store = try open(folder) { from, to in
        let found = try? Connection.outside(folder).number("PRAGMA user_version")
        #expect(found ?? nil == Int64(from))
        announced.withLock { $0.append([from, to]) }
      }
      try check(store)
      try store.close()
    }
    #expect(announced.withLock(\.self) == [[1, 2]])
  }

  @Test func `a new store is made by all steps, and announces none`() throws {
    let store = try open(folder) { _, _ in Issue.record("there was nothing to migrate") }
    #expect(try store.read { try $0.number("PRAGMA user_version") } == 2)
    #expect(try store.read { try $0.number("SELECT count(size) FROM event") } == 0)
  }

  @Test func `an older program refuses a store that was migrated, and a command one that was not`() throws {
    try fill(folder)
    for mode in [StoreMode.inspect, .amend] {
      #expect(throws: StoreError.schema(path: folder.database, found: 1, known: 2)) {
        try RevocationStore(data: folder.data, mode: mode, keyIndex: KeyIndexLimits(), schema: Self.next)
      }
    }
    try open(folder).close()
    for mode in [StoreMode.serve, .inspect, .amend] {
      #expect(throws: StoreError.schema(path: folder.database, found: 2, known: 1)) {
        try RevocationStore(data: folder.data, mode: mode)
      }
    }
  }

  /// Its writes fail from the n-th on, and the process is killed or the power cut.
  @Test func `a migration that is cut short leaves a store that the next start migrates`() throws {
    let healthy = try FaultyDisk()
    try fill(healthy.folder)
    let before = healthy.calls
    try open(healthy.folder).close()
    let calls = healthy.calls - before
    #expect(calls > 10)
    for n in 1...calls {
      let disk = try FaultyDisk()
      try fill(disk.folder)
      disk.fail(at: n, count: .max / 2, n % 2 == 0 ? FaultyDiskFails : FaultyDiskTears)
      var store = try? open(disk.folder)
      disk.stop()
      store = nil
      if n % 3 == 0 { disk.cutPower(seed: UInt64(n)) } else { disk.restart() }
      store = try open(disk.folder)
      try check(#require(store))
    }
  }

  private func fill(_ folder: TemporaryFolder) throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append((1...20).map { try .revoking($0) })
    try store.close()
  }

  private func open(
    _ folder: TemporaryFolder, begins: @escaping @Sendable (_ from: Int, _ to: Int) -> Void = { _, _ in }
  ) throws -> RevocationStore {
    try RevocationStore(data: folder.data, mode: .serve, keyIndex: KeyIndexLimits(), schema: Self.next) { notice in
      if case .migrating(let from, let to) = notice { begins(from, to) }
    }
  }

  private func check(_ store: RevocationStore) throws {
    #expect(try store.read { try $0.number("SELECT sum(size) FROM event") } == 60)
    #expect(try store.read { try $0.texts("PRAGMA integrity_check") } == ["ok"])
    #expect(try store.revocations(of: (1...20).map { try session($0) }).count == 20)
    #expect(try store.append([.revoking(1)]) == [.duplicate])
  }
}
