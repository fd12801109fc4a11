/// That the event with this number may have a key with this hash.
struct EventPlace: IndexEntry, Hashable {
  static let table = IndexedTable.event
  static let indexed = "event"
  static let words = 2

  let hash: UInt64
  let seq: Int64

  init(hash: UInt64, seq: Int64) {
    self.hash = hash
    self.seq = seq
  }

  init(_ block: Span<UInt8>, at start: Int) {
    hash = LittleEndianWords.word(at: start, block)
    seq = Int64(bitPattern: LittleEndianWords.word(at: start + 8, block))
  }

  func mayBe(of key: IndexKey) -> Bool { hash == key.hash }

  func append(to words: inout [UInt64]) {
    words.append(hash)
    words.append(UInt64(bitPattern: seq))
  }
}
