import DynamicEvents
import GRDB
import TestSupport
import Testing

@testable import RevocationStore

@Suite struct KeyBlockTests {
  private static let places = [
    EventPlace(hash: 0, seq: 5), EventPlace(hash: 3, seq: .max), EventPlace(hash: 3, seq: 1),
    EventPlace(hash: 1 << 63, seq: 2), EventPlace(hash: .max, seq: 9),
  ]

  @Test func `what is written of an event is read`() throws {
    let bytes = KeyBlock.bytes(Self.places)
    #expect(bytes.count == Self.places.count * 16)
    let read = try KeyBlock<EventPlace>.entries(bytes.span)
    #expect(read == Self.places)
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
    let read = try KeyBlock<RevocationCopy>.entries(bytes.span)
    #expect(read == copies)
  }

  @Test(arguments: ["", "event-1", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff "])
  func `an event's id that is no UUID is left to the row`(eventID: String) {
    #expect(RevocationCopy.Answer(revokedAt: time(1), by: .user, eventID: eventID.utf8.span) == nil)
  }

  private static let cases: [(hash: UInt64, numbers: [Int64])] = [
    (0, [5]), (1, []), (3, [.max, 1]), (4, []), (1 << 63, [2]), (.max - 1, []), (.max, [9]),
  ]

  @Test(arguments: cases)
  func `all that have the hash are found, and no other`(hash: UInt64, expected: [Int64]) throws {
    let bytes = KeyBlock.bytes(Self.places)
    var found: [EventPlace] = []
    try KeyBlock.find(hash, in: bytes.span, &found)
    #expect(found.map(\.seq) == expected)
  }

  @Test(arguments: [0, 1, 8, 15, 17, 16 * 5 - 8])
  func `a block of anything but whole entries is damage, and does not lack the key`(count: Int) {
    let bytes = Array(KeyBlock.bytes(Self.places).prefix(count))
    var found: [EventPlace] = []
    #expect(throws: BlockError.self) { try KeyBlock.find(0, in: bytes.span, &found) }
    #expect(throws: BlockError.self) { try KeyBlock<EventPlace>.entries(bytes.span) }
  }

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
        let insert = try PreparedStatement(db, sql: "INSERT INTO key_block (id, entries) VALUES (?, ?)")
        try insert.bind(.max - 100 + id, at: 1)
        try insert.bind(full, at: 2)
        _ = try insert.run()
      }
    }
    // One each, and the page above them.
    #expect(try pages() - before <= 101)
  }
}
