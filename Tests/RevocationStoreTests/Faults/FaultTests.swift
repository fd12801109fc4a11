internal import CFaultyDisk
import DynamicEvents
import Foundation
import KeyIndex
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// The n-th write, sync or truncation fails, for every n of a short run. Whatever was acknowledged has to be there
/// after that: for the process itself, for one that comes after a SIGKILL, and after a power cut. What was refused is
/// there whole or not at all.
@Suite(.timeLimit(.minutes(LongRun.isAsked ? 240 : 5))) struct FaultTests {
  /// What an event's fate is known to be.
  private struct Ledger {
    var acknowledged: Set<UInt64> = []
    var refused: Set<UInt64> = []
    var next: UInt64 = 1

    /// Answers whether the store took it.
    mutating func append(_ count: Int, to store: RevocationStore?) throws -> Bool {
      let numbers = next..<next + UInt64(count)
      next += UInt64(count)
      let events = try numbers.map { try IncomingEvent.revoking($0, body: [UInt8](repeating: 7, count: 300)) }
      do throws(StoreError) {
        guard let outcomes = try store?.append(events) else { return false }
        #expect(outcomes == Array(repeating: .accepted, count: count))
        acknowledged.formUnion(numbers)
        return true
      } catch {
        refused.formUnion(numbers)
        return false
      }
    }
  }

  private static let faults = [FaultyDiskFails, FaultyDiskTears, FaultyDiskIsFull]
  private static let step: Int64 = LongRun.isAsked ? 1 : 17
  private static let durations: KeyValuePairs<String, Int64> = ["once": 1, "for long": 9, "for ever": .max / 2]

  @Test(arguments: faults.indices, durations.indices)
  func `a failing disk loses nothing that was acknowledged, and leaves nothing half`(
    fault: Int, duration: Int
  ) throws {
    let healthy = try FaultyDisk()
    var ledger = Ledger()
    try run(on: healthy, &ledger)
    let calls = healthy.calls
    #expect(calls > 60)
    let (name, count) = Self.durations[duration]
    // The nine cases share the numbers; in the long mode each takes them all.
    let first = 1 + Int64(fault + duration * Self.faults.count) % Self.step
    for n in stride(from: first, through: calls, by: Int(Self.step)) {
      let disk = try FaultyDisk()
      var ledger = Ledger()
      disk.fail(at: n, count: count, Self.faults[fault])
      try run(on: disk, &ledger)
      try audit(disk, &ledger, cutFirst: n % 2 == 0, seed: UInt64(n), "\(Self.faults[fault]) \(name) at \(n)")
    }
  }

  @Test func `a process after one whose sync failed does not build on pages that never reached the disk`() throws {
    let disk = try FaultyDisk()
    var ledger = Ledger()
    var store: RevocationStore? = try RevocationStore(data: disk.folder.data, mode: .serve)
    // The first two make the log's file longer.
    for _ in 0..<2 { #expect(try ledger.append(1, to: store)) }
    let before = disk.calls
    #expect(try ledger.append(1, to: store))
    // The last call of a commit is its sync. The process is killed before it could do anything about that.
    disk.fail(at: disk.calls - before, FaultyDiskFails)
    #expect(try !ledger.append(1, to: store))
    disk.stop()
    store = nil
    disk.restart()
    store = try RevocationStore(data: disk.folder.data, mode: .serve)
    #expect(try store?.revocation(of: session(4)) != nil, "recovered from pages that are not on the disk")
    #expect(try ledger.append(2, to: store))
    disk.stop()
    store = nil
    disk.cutPower(seed: 1)
    let survivor = try RevocationStore(data: disk.folder.data, mode: .serve)
    try check(survivor, ledger, "")
  }

  @Test(arguments: [1, 4096, 70_000])
  func `the log is written over itself byte for byte`(size: Int) throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append([.other(1, body: [UInt8](repeating: 3, count: size))])
    // The first two commits make its file longer.
    try store.probeWritable()
    let log = URL(filePath: folder.database + "-wal")
    let before = try Data(contentsOf: log)
    try store.write { try $0.rewriteLog() }
    #expect(try Data(contentsOf: log) == before)
    #expect(try store.append([.other(2)]) == [.accepted])
  }

  @Test func `once the disk works again so does the store, without being opened again`() throws {
    let disk = try FaultyDisk()
    let store = try RevocationStore(data: disk.folder.data, mode: .serve)
    for fault in Self.faults {
      disk.fail(at: 1, count: .max / 2, fault)
      #expect(throws: StoreError.self) { try store.append([.revoking(99)]) }
      #expect(throws: StoreError.self) { try store.probeWritable() }
      disk.fail(at: 0, count: 0, fault)
      try store.probeWritable()
      #expect(try store.append([.revoking(UInt64(fault.rawValue) + 1)]) == [.accepted])
    }
    #expect(try store.revocation(of: session(99)) == nil)
  }

  /// Some batches, checkpoints amid them, a handler's record, pruning, and a restart; ends with a SIGKILL.
  private func run(on disk: FaultyDisk, _ ledger: inout Ledger) throws {
    for _ in 0..<2 {
      let store = try? open(disk)
      for count in [1, 3, 1, 2] { _ = try ledger.append(count, to: store) }
      if let cursor = try? store?.handlerPosition(registering: "log", at: time(1)) {
        try? store?.record([], handler: cursor.id, advancingTo: 1)
      }
      _ = try ledger.append(2, to: store)
      try? store?.probeWritable()
      try? store?.close()
    }
    let store = try? open(disk)
    for _ in 0..<2 { _ = try ledger.append(1, to: store) }
    disk.stop()
  }

  private func audit(
    _ disk: FaultyDisk, _ ledger: inout Ledger, cutFirst: Bool, seed: UInt64, _ comment: String
  ) throws {
    if cutFirst { disk.cutPower(seed: seed) } else { disk.restart() }
    var store: RevocationStore? = try open(disk)
    try check(try #require(store), ledger, comment)
    #expect(try ledger.append(2, to: store), "\(comment)")
    disk.stop()
    store = nil
    disk.cutPower(seed: seed &+ 1)
    store = try open(disk)
    try check(try #require(store), ledger, comment)
  }

  /// With runs that are written and merged every few events, and a checkpoint every few commits, so that these are met
  /// by faults as well.
  private func open(_ disk: FaultyDisk) throws -> RevocationStore {
    try RevocationStore(
      data: disk.folder.data, mode: .serve, keyIndex: KeyIndexLimits(recent: 3, fanout: 2), foldsLogAt: 12)
  }

  private func check(_ store: RevocationStore, _ ledger: Ledger, _ comment: String) throws {
    #expect(try store.read { try $0.texts("PRAGMA integrity_check") } == ["ok"], "\(comment)")
    let stored = try Set(store.events(after: 0, limit: 1000).events.map(\.seq))
    let keys = try store.read { try $0.all("SELECT key FROM event") { try UInt64($0.blob(0).last ?? 0) } }
    let revoked = try (1..<ledger.next).filter { try store.revocation(of: session($0)) != nil }
    #expect(Set(keys) == Set(revoked), "an event without its session, or the reverse: \(comment)")
    #expect(ledger.acknowledged.isSubset(of: revoked), "\(comment): lost \(ledger.acknowledged.subtracting(revoked))")
    #expect(ledger.acknowledged.union(ledger.refused).isSuperset(of: revoked), "\(comment)")
    let tally = try store.tally()
    #expect(tally.events == stored.count && tally.revocations == revoked.count, "\(comment)")
  }
}
