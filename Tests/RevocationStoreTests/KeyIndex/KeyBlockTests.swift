import DynamicEvents
import GRDB
import TestSupport
import Testing

@testable import RevocationStore

@Suite struct KeyBlockTests {
  @Test func `what is written of an event is read`() throws {
    let places = [EventPlace(hash: 0, seq: 5), EventPlace(hash: 3, seq: .max), EventPlace(hash: .max, seq: 9)]
    let bytes = KeyBlock.bytes(places)
    #expect(bytes.count == places.count * 16)
    let read = try KeyBlock<EventPlace>.entries(
      bytes.span, id: 1, checksum: KeyBlock<EventPlace>.checksum(bytes.span, id: 1))
    #expect(read == places)
  }

  private static let times: [Int64] = [0, 1, -1, 1_700_000_000_301, .max, .min]

  @Test(arguments: RevokedBy.allCases, times)
  func `what is written of a revocation is read`(by: RevokedBy, time milliseconds: Int64) throws {
    let answer = RevocationCopy.Answer(
      revokedAt: time(milliseconds), by: by, eventID: "00112233-4455-6677-8899-aabbccddeeff".utf8.span)
    #expect(answer != nil)
    let copies = try [
      RevocationCopy(IndexKey(session(1)), seq: .max, rememberFrom: milliseconds, answer: answer),
      RevocationCopy(IndexKey(session(.max)), seq: 1, rememberFrom: .min, answer: nil),
    ]
    let bytes = KeyBlock.bytes(copies)
    #expect(bytes.count == 2 * 56)
    let read = try KeyBlock<RevocationCopy>.entries(
      bytes.span, id: 1, checksum: KeyBlock<RevocationCopy>.checksum(bytes.span, id: 1))
    #expect(read == copies)
  }

  @Test(arguments: ["", "event-1", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff "])
  func `an event's id that is no UUID is left to the row`(eventID: String) {
    #expect(RevocationCopy.Answer(revokedAt: time(1), by: .user, eventID: eventID.utf8.span) == nil)
  }

  /// In the order of their hashes. Two events may have the same, as the keys are compared with the rows.
  private func places() throws -> [EventPlace] {
    try (UInt64(1)...60).map { try EventPlace(hash: key($0).hash, seq: Int64($0)) }.sorted { $0.hash < $1.hash }
      .flatMap { $0.seq == 7 ? [$0, EventPlace(hash: $0.hash, seq: 70)] : [$0] }
  }

  @Test(arguments: 0...70 as ClosedRange<UInt64>)
  func `all events that may have the key are found, and no other`(number: UInt64) throws {
    let bytes = try KeyBlock.bytes(places())
    let checksum = KeyBlock<EventPlace>.checksum(bytes.span, id: 1)
    var found: [EventPlace] = []
    try KeyBlock.find(key(number), in: bytes.span, id: 1, checksum: checksum, &found)
    #expect(found.map(\.seq) == (number == 7 ? [7, 70] : 1...60 ~= number ? [Int64(number)] : []))
  }

  @Test func `a revocation is found by its whole key`() throws {
    // Two keys of one hash.
    let keys = try [1, 2].map { (first: UInt64) in
      let bytes = LittleEndianWords.bytes([first, first &* 0x9E37_79B9_7F4A_7C15 ^ 42])
      return try IndexKey(#require(SessionID(bytes: bytes)))
    }
    #expect(Set(keys.map(\.hash)).count == 1)
    let bytes = KeyBlock.bytes([RevocationCopy(keys[0], seq: 1, rememberFrom: 2, answer: nil)])
    let checksum = KeyBlock<RevocationCopy>.checksum(bytes.span, id: 1)
    for (key, seqs) in zip(keys, [[1], []] as [[Int64]]) {
      var found: [RevocationCopy] = []
      try KeyBlock.find(key, in: bytes.span, id: 1, checksum: checksum, &found)
      #expect(found.map(\.seq) == seqs)
    }
  }

  @Test func `one bit that a disk has changed never makes a key unknown`() throws {
    let keys = try (UInt64(1)...5).map { try key($0) }
    let copies = keys.map { RevocationCopy($0, seq: 1, rememberFrom: 2, answer: nil) }.sorted { $0.hash < $1.hash }
    var bytes = KeyBlock.bytes(copies)
    let checksum = KeyBlock<RevocationCopy>.checksum(bytes.span, id: 1)
    var damaged = 0
    for bit in 0..<bytes.count * 8 {
      bytes[bit / 8] ^= 1 << (bit % 8)
      defer { bytes[bit / 8] ^= 1 << (bit % 8) }
      for index in keys.indices {
        var found: [RevocationCopy] = []
        do throws(BlockError) {
          try KeyBlock.find(keys[index], in: bytes.span, id: 1, checksum: checksum, &found)
          #expect(found.count == 1)
        } catch {
          damaged += 1
        }
      }
      #expect(throws: BlockError.self) {
        try KeyBlock<RevocationCopy>.entries(bytes.span, id: 1, checksum: checksum)
      }
    }
    #expect(damaged > 0)
  }

  @Test(arguments: [0, 1, 8, 15, 17, 16 * 5 - 8])
  func `a block that is cut short is damage, and does not lack the key`(count: Int) throws {
    let whole = try KeyBlock.bytes(places())
    let checksum = KeyBlock<EventPlace>.checksum(whole.span, id: 1)
    let bytes = Array(whole.prefix(count))
    var found: [EventPlace] = []
    #expect(throws: BlockError.self) {
      try KeyBlock.find(key(99), in: bytes.span, id: 1, checksum: checksum, &found)
    }
    #expect(throws: BlockError.self) { try KeyBlock<EventPlace>.entries(bytes.span, id: 1, checksum: checksum) }
  }

  @Test func `another block in its place is damage`() throws {
    let bytes = try KeyBlock.bytes(places())
    let checksum = KeyBlock<EventPlace>.checksum(bytes.span, id: 1)
    var found: [EventPlace] = []
    #expect(throws: BlockError.self) {
      try KeyBlock.find(key(99), in: bytes.span, id: 2, checksum: checksum, &found)
    }
  }

  private func key(_ number: UInt64) throws -> IndexKey { try IndexKey(session(number)) }

  @Test func `a full block fits a page`() throws {
    try checkPages(KeyBlock.bytes((0..<KeyBlock<EventPlace>.capacity).map { EventPlace(hash: UInt64($0), seq: .max) }))
    let copy = try RevocationCopy(IndexKey(session(1)), seq: .max, rememberFrom: .max, answer: nil)
    try checkPages(KeyBlock.bytes(Array(repeating: copy, count: KeyBlock<RevocationCopy>.capacity)))
  }

  /// Otherwise each look would read a chain of pages.
  private func checkPages(_ full: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let pages = { try store.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 } }
    let before = try pages()
    try store.write { db in
      for id in Int64(1)...100 {
        let insert = try PreparedStatement(db, sql: "INSERT INTO key_block (id, entries, checksum) VALUES (?, ?, ?)")
        try insert.bind(.max - 100 + id, at: 1)
        try insert.bind(full, at: 2)
        try insert.bind(.max, at: 3)
        _ = try insert.run()
      }
    }
    // One each, and the page above them.
    #expect(try pages() - before <= 101)
  }
}
