internal import DynamicEvents

/// What a run has of a revocation: all that a look-up answers, so that it reads the run's block and not the row as well.
///
/// It is made in a transaction that has the row, so that what is rolled back leaves none. It is as good as the row for as long as the row is sure
/// to be there, under this number or another one: what a row says stays the same but for `remember_from`, which only grows. It is deleted when that
/// is before the horizon of the day, and the furthest horizon so far stands in `tally.forgotten_before`.
struct RevocationCopy: IndexEntry, Hashable {
  static let table = IndexedTable.revocation
  static let indexed = "revocation copy"
  static let words = 7

  let hash: UInt64
  let seq: Int64
  /// The second half of the session: with the hash it is the whole one.
  let second: UInt64
  /// Of the row as it was: of the row as it is, or of one that came before it.
  let rememberFrom: Int64
  let answer: Answer?

  /// What a look-up answers.
  struct Answer: Hashable {
    let revokedAt: Timestamp
    let by: RevokedBy
    let eventID: SixteenBytes

    /// `nil` for an id that is no UUID: the row alone has it.
    init?(revokedAt: Timestamp, by: RevokedBy, eventID: Span<UInt8>) {
      guard let id = SixteenBytes(uuid: eventID) else { return nil }
      self.revokedAt = revokedAt
      self.by = by
      self.eventID = id
    }

    fileprivate init?(time: UInt64, _ high: UInt64, _ low: UInt64) {
      switch time & 3 {
      case 1: by = .user
      case 2: by = .admin
      default: return nil
      }
      revokedAt = Timestamp(milliseconds: Int64(bitPattern: time) >> 2)
      eventID = SixteenBytes(high: high, low: low)
    }

    /// The time, which has bits to spare up to the year 9999, and in the two lowest ones who: never 0.
    fileprivate var time: UInt64 {
      let name: UInt64 =
        switch by {
        case .user: 1
        case .admin: 2
        }
      return UInt64(bitPattern: revokedAt.milliseconds) << 2 | name
    }
  }

  init(_ key: IndexKey, seq: Int64, rememberFrom: Int64, answer: Answer?) {
    hash = key.hash
    second = key.second
    self.seq = seq
    self.rememberFrom = rememberFrom
    self.answer = answer
  }

  init(_ block: Span<UInt8>, at start: Int) {
    hash = LittleEndianWords.word(at: start, block)
    seq = Int64(bitPattern: LittleEndianWords.word(at: start + 8, block))
    second = LittleEndianWords.word(at: start + 16, block)
    rememberFrom = Int64(bitPattern: LittleEndianWords.word(at: start + 24, block))
    answer = Answer(
      time: LittleEndianWords.word(at: start + 32, block), LittleEndianWords.word(at: start + 40, block),
      LittleEndianWords.word(at: start + 48, block))
  }

  func mayBe(of key: IndexKey) -> Bool { hash == key.hash && second == key.second }

  func append(to words: inout [UInt64]) {
    words.append(hash)
    words.append(UInt64(bitPattern: seq))
    words.append(second)
    words.append(UInt64(bitPattern: rememberFrom))
    words.append(answer?.time ?? 0)
    words.append(answer?.eventID.high ?? 0)
    words.append(answer?.eventID.low ?? 0)
  }
}
