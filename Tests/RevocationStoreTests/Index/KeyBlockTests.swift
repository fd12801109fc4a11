import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import KeyIndex
@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct KeyBlockTests {
  @Test func `what is written is read`() throws {
    let entries = [IndexEntry(hash: 0, seq: 5), IndexEntry(hash: 3, seq: .max), IndexEntry(hash: .max, seq: 9)]
    let bytes = KeyBlock.bytes(entries)
    #expect(bytes.count == entries.count * 16)
    let read = try KeyBlock.entries(bytes.span, id: 1, checksum: KeyBlock.checksum(bytes.span, id: 1))
    #expect(read == entries)
  }

  /// In the order of their hashes. Two rows may have the same, as the keys are compared with the rows.
  private func entries() throws -> [IndexEntry] {
    try (UInt64(1)...60).map { try IndexEntry(hash: key($0).hash, seq: Int64($0)) }.sorted { $0.hash < $1.hash }
      .flatMap { $0.seq == 7 ? [$0, IndexEntry(hash: $0.hash, seq: 70)] : [$0] }
  }

  @Test(arguments: 0...70 as ClosedRange<UInt64>)
  func `all rows that may have the key are found, and no other`(number: UInt64) throws {
    let bytes = try KeyBlock.bytes(entries())
    let checksum = KeyBlock.checksum(bytes.span, id: 1)
    var found: [Int64] = []
    try KeyBlock.find(key(number).hash, in: bytes.span, id: 1, checksum: checksum, &found)
    #expect(found == (number == 7 ? [7, 70] : 1...60 ~= number ? [Int64(number)] : []))
  }

  @Test func `one bit that a disk has changed never makes a key unknown`() throws {
    let entries = try entries()
    var bytes = KeyBlock.bytes(entries)
    let checksum = KeyBlock.checksum(bytes.span, id: 1)
    var damaged = 0
    for bit in 0..<bytes.count * 8 {
      bytes[bit / 8] ^= 1 << (bit % 8)
      defer { bytes[bit / 8] ^= 1 << (bit % 8) }
      let entry = entries[bit % entries.count]
      var found: [Int64] = []
      do throws(KeyIndexError) {
        try KeyBlock.find(entry.hash, in: bytes.span, id: 1, checksum: checksum, &found)
        // Maybe under a wrong number: then the block is asked to be whole.
        #expect(!found.isEmpty)
      } catch {
        damaged += 1
      }
      #expect(throws: KeyIndexError.self) { try KeyBlock.entries(bytes.span, id: 1, checksum: checksum) }
      #expect(throws: KeyIndexError.self) { try KeyBlock.check(bytes.span, id: 1, checksum: checksum) }
    }
    #expect(damaged > 0)
  }

  @Test(arguments: [0, 1, 8, 15, 17, 16 * 5 - 8])
  func `a block that is cut short is damage, and does not lack the key`(count: Int) throws {
    let whole = try KeyBlock.bytes(entries())
    let checksum = KeyBlock.checksum(whole.span, id: 1)
    let bytes = Array(whole.prefix(count))
    var found: [Int64] = []
    #expect(throws: KeyIndexError.self) {
      try KeyBlock.find(key(99).hash, in: bytes.span, id: 1, checksum: checksum, &found)
    }
    #expect(throws: KeyIndexError.self) { try KeyBlock.entries(bytes.span, id: 1, checksum: checksum) }
  }

  @Test func `another block in its place is damage`() throws {
    let bytes = try KeyBlock.bytes(entries())
    let checksum = KeyBlock.checksum(bytes.span, id: 1)
    var found: [Int64] = []
    #expect(throws: KeyIndexError.self) {
      try KeyBlock.find(key(99).hash, in: bytes.span, id: 2, checksum: checksum, &found)
    }
  }

  private func key(_ number: UInt64) throws -> IndexKey { try IndexKey(session(number)) }

  /// Otherwise each look would read a chain of pages.
  @Test func `a full block fits a page`() throws {
    let full = KeyBlock.bytes((0..<KeyBlock.capacity).map { IndexEntry(hash: UInt64($0), seq: .max) })
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let pages = { try store.read { try $0.number("PRAGMA page_count") ?? 0 } }
    let before = try pages()
    try store.write { db in
      for id in Int64(1)...100 {
        let id = Int64.max - 100 + id
        try db.run("INSERT INTO key_block (id, entries, checksum) VALUES (?, ?, ?)", id, full, Int64.max)
      }
    }
    // One each, and the page above them.
    #expect(try pages() - before <= 101)
  }
}
