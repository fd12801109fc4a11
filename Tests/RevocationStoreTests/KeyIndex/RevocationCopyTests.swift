import DynamicEvents
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

/// With limits so small that what is asked for is in a run. To see where an answer comes from, rows are moved by hand, as the store never does.
@Suite struct RevocationCopyTests {
  private static let limits = KeyIndexLimits(recent: 4, fanout: 2)
  let folder: TemporaryFolder
  let store: RevocationStore
  let reader: LookUpReader

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits)
    reader = LookUpReader(store)
  }

  @Test(arguments: RevokedBy.allCases)
  func `a look-up answers from the copy in the run what the row says`(by: RevokedBy) throws {
    let numbers = Array(UInt64(2)...40)
    for number in numbers { _ = try store.append([.revoking(number, by: by, revokedAt: 1000 + Int64(number))]) }
    for number in numbers {
      #expect(
        try reader.revocation(of: session(number))
          == Revocation(
            session: session(number), revokedAt: time(1000 + Int64(number)), by: by,
            eventID: IncomingEvent.eventID(number)))
    }
    let answered = try answeredFromCopies(numbers)
    #expect(answered.contains { $0.isMultiple(of: 3) })
    #expect(answered.allSatisfy { $0 % 3 != 1 })
  }

  @Test func `whether a session is revoked the copy says also where the row alone has the answer`() throws {
    for number in UInt64(1)...40 { _ = try store.append([.revoking(number, event: 1)]) }
    try hideRows()
    #expect(try reader.isAnyRevoked([session(1)]))
    #expect(try reader.revoked(of: [session(2), session(50)]) == [session(2)])
    #expect(try reader.revocation(of: session(1)) == nil)
  }

  @Test func `an event without an id, or with one that is none, is told by the row`() throws {
    var events = try (UInt64(1)...8).map { try IncomingEvent.revoking($0) }
    for index in events.indices {
      guard case .sessionRevoked(var revoked) = events[index].kind else { throw CancellationError() }
      revoked.eventID = [nil, "é", "00112233-4455-6677-8899-AABBCCDDEEFF"][index % 3]
      events[index].kind = .sessionRevoked(revoked)
    }
    for event in events { _ = try store.append([event]) }
    for number in UInt64(1)...8 {
      #expect(try reader.revocation(of: session(number)) == store.revocation(of: session(number)))
    }
  }

  @Test func `what may be forgotten is up to the row`() throws {
    for number in UInt64(2)...40 { _ = try store.append([.revoking(number, createdAt: 500)]) }
    #expect(try !answeredFromCopies(Array(2...40)).isEmpty)
    reader.roundEnded()
    // As long as nothing is forgotten that was remembered from then.
    try store.write { try $0.execute(sql: "UPDATE tally SET forgotten_before = 500") }
    #expect(try !answeredFromCopies(Array(2...40)).isEmpty)
    reader.roundEnded()
    try store.write { try $0.execute(sql: "UPDATE tally SET forgotten_before = 501") }
    #expect(try answeredFromCopies(Array(2...40)).isEmpty)
    // And it is there.
    #expect(try reader.revoked(of: (2...40).map { try session($0) }).count == 39)
    for number in UInt64(2)...40 {
      #expect(try reader.revocation(of: session(number)) == store.revocation(of: session(number)))
    }
  }

  @Test func `a session stays refused that is revoked after a clock ahead had everything forgotten`() throws {
    let day: Int64 = 86_400_000
    _ = try store.append([.revoking(1, createdAt: 0, receivedAt: 0)])
    try prune(at: 400 * day)
    #expect(try !reader.isAnyRevoked([session(1)]))
    reader.roundEnded()
    for number in UInt64(2)...40 { _ = try store.append([.revoking(number, createdAt: day, receivedAt: 2 * day)]) }
    try prune(at: 3 * day)
    for number in UInt64(2)...40 {
      #expect(try reader.isAnyRevoked([session(number)]))
      #expect(try reader.revocation(of: session(number)) == store.revocation(of: session(number)))
    }
  }

  @Test func `a pass that forgets says how far before it forgets, in the same commit, and never less far`() throws {
    let day: Int64 = 86_400_000
    for number in UInt64(2)...9 {
      _ = try store.append([.revoking(number, createdAt: number < 6 ? 0 : 5 * day, receivedAt: 0)])
    }
    let horizon = { try store.read { try Int64.fetchOne($0, sql: "SELECT forgotten_before FROM tally") } }
    try prune(at: 30 * day)
    // Nothing was forgotten.
    #expect(try horizon() == 0)
    let commits = store.commits.load(ordering: .relaxed)
    _ = try store.prune(.revocations(after: 0), at: time(33 * day), handlers: [])
    #expect(store.commits.load(ordering: .relaxed) == commits + 1)
    #expect(try store.tally().revocations == 4)
    #expect(try horizon() == store.retention.horizon(at: time(33 * day)).milliseconds)
    #expect(
      try store.revocations(of: (2...9).map { try session($0) }).map(\.session) == (6...9).map { try session($0) })
    // By a clock that goes backwards.
    try store.write {
      try $0.execute(
        sql: "UPDATE revocation SET remember_from = -1 WHERE session = ?", arguments: [Data(sixteenBytes(6))])
    }
    try prune(at: 31 * day)
    #expect(try horizon() == store.retention.horizon(at: time(33 * day)).milliseconds)
  }

  @Test func `a session that was forgotten and is revoked anew is told as the new event has it`() throws {
    let day: Int64 = 86_400_000
    for number in UInt64(2)...20 {
      _ = try store.append([.revoking(number, by: .user, revokedAt: 1, createdAt: 0, receivedAt: 0)])
    }
    try prune(at: 40 * day)
    #expect(try store.revocations(of: (2...20).map { try session($0) }) == [])
    for number in UInt64(2)...20 {
      _ = try store.append([
        .revoking(
          number, event: 100 + number, by: .admin, revokedAt: 40 * day, createdAt: 40 * day, receivedAt: 40 * day)
      ])
      // Some of them in a run by now, above the older ones.
      for number in UInt64(2)...number {
        let revocation = try reader.revocation(of: session(number))
        #expect(revocation?.by == .admin && revocation?.revokedAt == time(40 * day))
        #expect(revocation?.eventID == IncomingEvent.eventID(100 + number))
      }
    }
  }

  @Test
  func `a session that is remembered for longer is told as its first event had it, and refused beyond its old expiry`()
    throws
  {
    let day: Int64 = 86_400_000
    for number in UInt64(2)...20 {
      _ = try store.append([.revoking(number, by: .user, revokedAt: 7, createdAt: 0, receivedAt: 0)])
    }
    for number in UInt64(2)...5 {
      _ = try store.append([.revoking(number, event: 100 + number, by: .admin, createdAt: 20 * day, receivedAt: 0)])
    }
    for round in 0..<2 {
      for number in UInt64(2)...5 {
        #expect(
          try reader.revocation(of: session(number))
            == Revocation(
              session: session(number), revokedAt: time(7), by: .user, eventID: IncomingEvent.eventID(number)))
      }
      reader.roundEnded()
      // Then with the older copies of no use.
      if round == 0 { try prune(at: 40 * day) }
    }
    #expect(try !reader.isAnyRevoked((6...20).map { try session($0) }))
  }

  @Test func `a name that is nobody's is left to the row`() throws {
    let bytes = LittleEndianWords.bytes([1, 2, 3, 4, 7 << 2 | 3, 5, 6])
    let copy = RevocationCopy(bytes.span, at: 0)
    #expect(copy.seq == 2 && copy.rememberFrom == 4 && copy.answer == nil)
  }

  /// As a disk damages a sector: what follows the first entries is gone.
  @Test(arguments: [0, 1, 24, 56, 100, 200])
  func `a look-up that meets a damaged block never takes a revoked session for another one`(from: Int) throws {
    let numbers = Array(UInt64(2)...24)
    _ = try store.append(numbers.map { try .revoking($0) })
    try store.write { db in
      try db.execute(
        sql: """
          UPDATE key_block SET entries = CAST(substr(entries, 1, ?) || zeroblob(512) || substr(entries, ? + 513) AS BLOB)
          WHERE id >> 20 IN (SELECT id FROM key_run WHERE indexed = ?)
          """, arguments: [from, from, RevocationCopy.indexed])
    }
    var refused = 0
    for number in numbers {
      // Each as if it were the first, since damage that was seen once is never forgotten.
      let store = try RevocationStore(data: folder.data, mode: .inspect)
      do {
        #expect(try store.revocation(of: session(number)) != nil)
      } catch let error as StoreError {
        refused += 1
        guard case .corrupt = error else { throw error }
      }
    }
    #expect(refused > 0)
    let error = #expect(throws: StoreError.self) {
      for number in numbers { _ = try reader.isAnyRevoked([session(number)]) }
    }
    if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
    // Neither is it merged into a block that looks sound.
    #expect(throws: StoreError.self) { for number in UInt64(100)...200 { _ = try store.append([.revoking(number)]) } }
  }

  @Test(arguments: ["filter", "fences"])
  func `what a run keeps in memory is checked when it is read`(column: String) throws {
    for number in UInt64(2)...24 { _ = try store.append([.revoking(number)]) }
    try store.write { db in
      try db.execute(
        sql: """
          UPDATE key_run SET \(column) = CAST(zeroblob(1) || substr(\(column), 2) AS BLOB)
          WHERE substr(\(column), 1, 1) <> zeroblob(1)
          """)
      #expect(db.changesCount > 0)
    }
    try store.close()
    let error = #expect(throws: StoreError.self) { try RevocationStore(data: folder.data, mode: .serve) }
    if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
  }

  /// Those that are told though the rows are out of sight.
  private func answeredFromCopies(_ numbers: [UInt64]) throws -> [UInt64] {
    try hideRows()
    defer { try? hideRows(false) }
    reader.roundEnded()
    return try numbers.filter { try reader.revocation(of: session($0)) != nil }
  }

  private func hideRows(_ hidden: Bool = true) throws {
    try store.write { try $0.execute(sql: "UPDATE revocation SET seq = seq \(hidden ? "+" : "-") (1 << 40)") }
  }

  private func prune(at now: Int64) throws {
    var step: PruneStep? = .first
    while let next = step { step = try store.prune(next, at: time(now), handlers: []) }
  }
}
