import Dispatch
import DynamicEvents
import Foundation
import Glibc
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import KeyIndex
@testable import RevocationStore

/// Always with limits so small that runs are written every few events, and merged level upon level.
@Suite(.timeLimit(.minutes(LongRun.isAsked ? 240 : 5))) struct KeyIndexTests {
  private static let limits = KeyIndexLimits(recent: 5, fanout: 2)
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test(arguments: [1, 3, 64])
  func `every key is found again, however often it was merged, and no other is`(batch: Int) throws {
    let store = try open()
    let numbers = Array(1...UInt64(400))
    for start in stride(from: 0, to: numbers.count, by: batch) {
      let events = try numbers[start..<min(start + batch, numbers.count)].map { try IncomingEvent.revoking($0) }
      #expect(try store.append(events) == events.map { _ in .accepted })
    }
    try check(store, numbers)
    #expect(try #require(store.indexes).revocations.runs.contains { $0.level > 0 })
    try store.close()
    try check(open(), numbers)
  }

  @Test(arguments: 1...40)
  func `one batch tells old events from new ones and from its own`(stored: UInt64) throws {
    let store = try open()
    for number in 1...stored { _ = try store.append([.revoking(number)]) }
    let old = Array(1...stored)
    let new = Array(stored + 1...stored + 20)
    let batch = try (old + new + new.reversed() + old).map { try IncomingEvent.revoking($0) }
    let expected: [AppendOutcome] = batch.indices.map { old.count..<(old + new).count ~= $0 ? .accepted : .duplicate }
    #expect(try store.append(batch) == expected)
    #expect(try store.tally().events == (old + new).count)
    #expect(try store.tally().revocations == (old + new).count)
    try check(store, old + new)
  }

  /// Their keys the index still has, so that it calls neither unknown.
  @Test(arguments: [3, 20])
  func `what was forgotten and comes twice in one batch is new once`(stored: UInt64) throws {
    let store = try open()
    for number in 1...stored { _ = try store.append([.revoking(number)]) }
    try store.forget()
    let batch = try (Array(1...stored) + Array(1...stored)).map { try IncomingEvent.revoking($0) }
    #expect(try store.append(batch) == batch.indices.map { $0 < Int(stored) ? .accepted : .duplicate })
    for table in ["event", "revocation"] {
      #expect(try store.read { try $0.number("SELECT count(*) FROM \(table)") } == Int64(stored))
    }
    try check(store, Array(1...stored))
  }

  @Test func `there are no more runs of a level than are merged at once, and as many again that came meanwhile`() throws
  {
    let store = try open()
    for start in stride(from: UInt64(1), to: 3000, by: 7) {
      _ = try store.append((start..<start + 7).map { try .revoking($0) })
      for runs in Dictionary(grouping: try #require(store.indexes).revocations.runs, by: \.level).values {
        #expect(runs.count <= 2 * Self.limits.fanout)
      }
      #expect(try #require(store.indexes).revocations.recentCount < Self.limits.recent + 7)
    }
  }

  @Test func `what is covered while a run is written stays found`() throws {
    let key = { (number: UInt64) in try IndexKey(session(number)) }
    let index = KeyIndex(of: .revocation)
    let cover = { (numbers: [UInt64]) in
      try index.cover(numbers.map { (key: try key($0), seq: Int64($0)) }, through: Int64(numbers.max() ?? 0))
    }
    try cover([1, 2])
    // Another process's row, behind the run's commit.
    try cover([3])
    let run = KeyRun(
      id: 1, level: 0, after: 0, lastSeq: 2, fences: [], filter: KeyFilter(keys: 2, bitsPerKey: 12))
    index.replace(runs: [run], flushed: 2)
    #expect(try index.recent == [key(3): 3])
    #expect(index.covered == 3)
  }

  @Test func `keys with the same hash do not stand in for each other`() throws {
    let store = try open()
    let keys = try collidingKeys()
    #expect(Set(keys.map { IndexKey($0.span)?.hash }).count == 1)
    let events = try keys.enumerated().map { number, bytes in
      var event = try IncomingEvent.revoking(UInt64(number))
      event.key = try #require(EventKey(bytes: bytes))
      guard case .sessionRevoked(var revoked) = event.kind else { throw CancellationError() }
      revoked.session = try #require(SessionID(bytes: bytes))
      event.kind = .sessionRevoked(revoked)
      return event
    }
    for event in events.dropLast() { #expect(try store.append([event]) == [.accepted]) }
    for _ in 0..<2 {
      for event in events.dropLast() { #expect(try store.append([event]) == [.duplicate]) }
      let reader = LookUpReader(store)
      let answers = try keys.map { try reader.isAnyRevoked([#require(SessionID(bytes: $0))]) }
      #expect(answers == Array(repeating: true, count: keys.count - 1) + [false])
      // Then the same from runs.
      _ = try store.append((1000..<1020).map { try .revoking($0) })
      _ = try store.append((2000..<2020).map { try .revoking($0) })
    }
  }

  @Test(arguments: 6...26)
  func `a kill amid a merge loses no key, and what was begun is cleared away`(events: UInt64) throws {
    let store = try open()
    for number in 1...events { _ = try store.append([.revoking(number)]) }
    let copy = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: copy.data, withIntermediateDirectories: false)
    for file in ["/revoked.sqlite", "/revoked.sqlite-wal"] {
      try FileManager.default.copyItem(atPath: folder.data + file, toPath: copy.data + file)
    }
    let survivor = try RevocationStore(data: copy.data, mode: .serve, keyIndex: Self.limits)
    let begun = try survivor.read { try KeyRun.fetchAbandoned(of: .event, $0) }
    try check(survivor, in: copy, Array(1...events))
    let rest = events + 1...events + 100
    for number in rest { _ = try survivor.append([.revoking(number)]) }
    try check(survivor, in: copy, Array(1...rest.upperBound))
    #expect(try survivor.read { try KeyRun.fetchAbandoned(of: .event, $0) }.allSatisfy { !begun.contains($0) })
    let stray = try survivor.read {
      try $0.number("SELECT count(*) FROM key_block WHERE id >> 20 NOT IN (SELECT id FROM key_run)")
    }
    #expect(stray == 0)
  }

  @Test func `a batch that is rolled back leaves no key behind, and can come again`() throws {
    let store = try open()
    _ = try store.append((1...20).map { try .revoking($0) })
    let pages = try store.write { try $0.number("PRAGMA max_page_count = 1") }
    let large = try (21...40).map { try IncomingEvent.revoking($0, body: [UInt8](repeating: 1, count: 8192)) }
    for _ in 0..<3 { #expect(throws: StoreError.self) { try store.append(large) } }
    #expect(try !LookUpReader(store).isAnyRevoked([session(21)]))
    try check(store, Array(1...20))
    #expect(pages != nil)
    _ = try store.write { try $0.number("PRAGMA max_page_count = 1073741823") }
    #expect(try store.append(large) == large.map { _ in .accepted })
    try check(store, Array(1...40))
  }

  @Test func `a merge leaves out the keys of rows that are gone, also when one of the oldest is kept`() throws {
    let store = try open()
    for start in stride(from: UInt64(1), to: 400, by: 4) {
      _ = try store.append((start..<start + 4).map { try .revoking($0) })
    }
    try store.forget("seq BETWEEN 2 AND 390")
    for number in UInt64(1001)...1400 { _ = try store.append([.revoking(number)]) }
    let left = try store.read { try seqs(of: .event, $0) + seqs(of: .revocation, $0) }
    #expect(left.count { $0 <= 390 } < 100)
    #expect(try LookUpReader(store).isAnyRevoked([session(1)]))
    #expect(try store.append([.revoking(1)]) == [.duplicate])
    #expect(try !LookUpReader(store).isAnyRevoked([session(7)]))
    #expect(try store.append([.revoking(7)]) == [.accepted])
    #expect(try LookUpReader(store).isAnyRevoked([session(7)]))
  }

  @Test func `what another process revokes while runs are written is found`() throws {
    let store = try open()
    let other = try RevocationStore(data: folder.data, mode: .amend)
    let reader = LookUpReader(store)
    for number in stride(from: UInt64(1), to: 200, by: 2) {
      #expect(try store.append([.revoking(number)]) == [.accepted])
      #expect(try reader.isAnyRevoked([session(number)]))
      #expect(try other.append([.revoking(number + 1), .revoking(number)]) == [.accepted, .duplicate])
      reader.roundEnded()
      #expect(try reader.isAnyRevoked([session(number + 1)]))
      if number % 6 == 1 { #expect(try store.append([.revoking(number + 1)]) == [.duplicate]) }
    }
    try check(store, Array(1...200))
  }

  /// Runs appear and go, and rows move to other numbers, while readers are somewhere between the index and their
  /// snapshot.
  @Test func `a session that was refused once is refused by every look-up that follows`() throws {
    let store = try open()
    let revoked = Atomic<UInt64>(0)
    let isDone = Atomic(false)
    let wrong = Mutex<[UInt64]>([])
    let looks = Atomic<Int>(0)
    let failure = Mutex<(any Error)?>(nil)
    // Threads of their own: a pool would run no more of them at once than there are cores.
    let running = DispatchGroup()
    let work: @Sendable (Int) -> Void = { worker in
      defer { running.leave() }
      do {
        switch worker {
        case 0:
          defer { isDone.store(true, ordering: .releasing) }
          for number in 1...UInt64(LongRun.isAsked ? 20_000 : 300) {
            // Every other one is about a session that is revoked already, and has it remembered for longer: its row
            // moves.
            let old = try (1...3).map {
              try IncomingEvent.revoking(
                1 + (number * $0) % number, event: .max - number * 4 - $0, createdAt: Int64(number) * 1000)
            }
            _ = try store.append([.revoking(number, createdAt: Int64(number))] + old)
            revoked.store(number, ordering: .releasing)
          }
          // The readers may have been held up so far.
          while looks.load(ordering: .relaxed) <= 100, !isDone.load(ordering: .acquiring) { sched_yield() }
        case 1:
          // The other process, which has no part in the index.
          let other = try RevocationStore(data: folder.data, mode: .amend)
          var number = UInt64(1) << 40
          var turn: UInt64 = 0
          while !isDone.load(ordering: .acquiring) {
            // It would keep the server from the lock.
            guard revoked.load(ordering: .acquiring) > turn else {
              sched_yield()
              continue
            }
            turn += 5
            number += 1
            _ = try other.append([.revoking(1 + number % 3, event: number, createdAt: Int64(number))])
          }
        default:
          let reader = LookUpReader(store)
          var random = SplitMix(seed: UInt64(worker))
          // To the end, and some looks at least, also where this thread is slow to begin.
          while !isDone.load(ordering: .acquiring)
            || looks.load(ordering: .relaxed) <= 100 && failure.withLock({ $0 == nil })
          {
            let newest = revoked.load(ordering: .acquiring)
            guard newest > 0 else { continue }
            for _ in 0..<4 {
              let number = Bool.random(using: &random) ? newest : .random(in: 1...newest, using: &random)
              if try !reader.isAnyRevoked([session(number)]) { wrong.withLock { $0.append(number) } }
              looks.wrappingAdd(1, ordering: .relaxed)
            }
            reader.roundEnded()
          }
        }
      } catch {
        failure.withLock { $0 = $0 ?? error }
        isDone.store(true, ordering: .releasing)
      }
    }
    for worker in 0..<4 {
      running.enter()
      Thread { work(worker) }.start()
    }
    running.wait()
    if let error = failure.withLock(\.self) { throw error }
    #expect(wrong.withLock { $0 } == [])
    #expect(looks.load(ordering: .relaxed) > 100)
  }

  @Test func `runs are merged though merges begin anew more often than they would be over`() throws {
    let store = try open()
    for number in UInt64(1)...400 {
      _ = try store.append([.revoking(number)])
      if number % 2 == 0 {
        #expect(throws: StoreError.self) { try store.appendTransaction { _ in throw StoreError.full(path: "") } }
      }
    }
    // Of 80 that were written.
    #expect(try #require(store.indexes).revocations.runs.count < 50)
    try check(store, Array(1...400))
  }

  @Test func `a store whose rows are all gone is opened again, and goes on`() throws {
    var store = try open()
    for number in UInt64(1)...60 { _ = try store.append([.revoking(number)]) }
    try store.forget()
    // Merges that begin now leave nothing over.
    for number in UInt64(61)...200 {
      _ = try store.append([.revoking(number)])
      try store.forget()
    }
    for _ in 0..<2 {
      try store.close()
      store = try open()
      #expect(try !LookUpReader(store).isAnyRevoked((1...200).map { try session($0) }))
      for number in UInt64(201)...260 {
        #expect(try store.append([.revoking(number)]) == [.accepted])
        #expect(try LookUpReader(store).isAnyRevoked([session(number)]))
      }
      try store.forget()
    }
  }

  @Test func `what would have more blocks than can be told apart is not merged`() throws {
    let store = try open()
    let filter = KeyFilter(keys: 1, bitsPerKey: 6)
    let runs = [BlockID.most / 2, BlockID.most / 2].map { count in
      KeyRun(id: 1, level: 4, after: 0, lastSeq: 1, fences: Array(repeating: 0, count: count), filter: filter)
    }
    #expect(try store.write { try KeyMerge(runs, of: .event, level: 4, $0) == nil })
  }

  private func seqs(of table: IndexedTable, _ db: Connection) throws -> [Int64] {
    var cursors = try KeyRun.fetchAll(of: table, db).map(KeyCursor.init)
    var seqs: [Int64] = []
    for index in cursors.indices {
      while let entry = try cursors[index].peek(BlockReader(db)) {
        seqs.append(entry.seq)
        cursors[index].advance()
      }
    }
    return seqs
  }

  private func open() throws -> RevocationStore {
    try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits)
  }

  /// Exactly these were revoked, each by an event that is known.
  private func check(_ store: RevocationStore, in folder: TemporaryFolder? = nil, _ numbers: [UInt64]) throws {
    let reader = LookUpReader(store)
    let others = [0, UInt64.max] + (numbers.max().map { $0 + 1...$0 + 50 } ?? 1...1)
    #expect(try numbers.filter { try !reader.isAnyRevoked([session($0)]) } == [])
    #expect(try others.filter { try reader.isAnyRevoked([session($0)]) } == [])
    #expect(try numbers.filter { try store.append([.revoking($0)]) != [.duplicate] } == [])
    let inspector = try RevocationStore(data: (folder ?? self.folder).data, mode: .inspect)
    // It reads the whole index each time.
    for number in numbers where number % 50 == 1 {
      #expect(try inspector.event(#require(EventKey(bytes: sixteenBytes(number)))) != nil)
      #expect(try inspector.revocation(of: session(number)) != nil)
    }
  }

  /// Keys that differ in both words so that what is mixed of them is the same.
  private func collidingKeys() throws -> [[UInt8]] {
    (1...4).map { number in
      let first = UInt64(number)
      let second = first &* 0x9E37_79B9_7F4A_7C15 ^ 42
      return LittleEndianWords.bytes([first, second])
    }
  }
}
