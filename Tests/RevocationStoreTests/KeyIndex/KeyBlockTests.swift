import GRDB
import TestSupport
import Testing

@testable import RevocationStore

@Suite struct KeyBlockTests {
  private let entries = [
    KeyEntry(hash: 0, seq: 5), KeyEntry(hash: 3, seq: .max), KeyEntry(hash: 3, seq: 1), KeyEntry(hash: 1 << 63, seq: 2),
    KeyEntry(hash: .max, seq: 9),
  ]

  @Test func `what is written is read`() {
    let bytes = KeyBlock.bytes(entries)
    let read = KeyBlock.entries(bytes.span)
    #expect(read == entries)
  }

  private static let cases: [(hash: UInt64, numbers: [Int64])] = [
    (0, [5]), (1, []), (3, [.max, 1]), (4, []), (1 << 63, [2]), (.max - 1, []), (.max, [9]),
  ]

  @Test(arguments: cases)
  func `all that have the hash are found, and no other`(hash: UInt64, expected: [Int64]) {
    let bytes = KeyBlock.bytes(entries)
    var numbers: [Int64] = []
    KeyBlock.find(hash, in: bytes.span, &numbers)
    #expect(numbers == expected)
  }

  /// Otherwise each look would read a chain of pages.
  @Test func `a full block fits a page`() throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let full = (0..<KeyBlock.capacity).map { KeyEntry(hash: .max - UInt64($0), seq: .max) }
    let pages = { try store.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 } }
    let before = try pages()
    try store.write { db in
      for id in Int64(1)...100 {
        let insert = try PreparedStatement(db, sql: "INSERT INTO key_block (id, entries) VALUES (?, ?)")
        try insert.bind(.max - 100 + id, at: 1)
        try insert.bind(KeyBlock.bytes(full), at: 2)
        _ = try insert.run()
      }
    }
    // One each, and the page above them.
    #expect(try pages() - before <= 101)
  }
}
