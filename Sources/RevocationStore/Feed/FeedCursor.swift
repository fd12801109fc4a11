internal import Bytes
internal import SQLite

/// A place in the feed: everything up to it has been read. Written as `EPOCH-SEQ`, eight lower-case hexadecimal digits
/// and a decimal number; for callers it is opaque.
package struct FeedCursor: Hashable, Sendable {
  /// Which history of the store gave the number out: see `FeedEpochs`.
  package var epoch: UInt32
  package var seq: Int64

  package init(epoch: UInt32, seq: Int64) {
    self.epoch = epoch
    self.seq = seq
  }

  /// nil for anything that `append` does not write.
  package init?(_ text: Span<UInt8>) {
    // A sequence number has at most 19 digits, and no leading zero.
    guard (10...28).contains(text.count), text[8] == UInt8(ascii: "-") else { return nil }
    guard text[9] != UInt8(ascii: "0") || text.count == 10 else { return nil }
    epoch = 0
    seq = 0
    for index in 0..<8 {
      let digit = Hexadecimal.lowerCaseNibble(text[index])
      guard digit < 16 else { return nil }
      epoch = epoch << 4 | UInt32(digit)
    }
    for index in 9..<text.count {
      guard text[index].isDigit else { return nil }
      let (tens, overflow) = seq.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(text[index] - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      seq = sum
    }
  }

  package func append(to text: inout [UInt8]) {
    text.append(addingCapacity: 28) { append(to: &$0) }
  }

  /// Takes up to 28 bytes of room.
  package func append(to text: inout OutputSpan<UInt8>) {
    for shift in stride(from: 28, through: 0, by: -4) {
      text.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: epoch >> UInt32(shift))))
    }
    text.append(UInt8(ascii: "-"))
    var unit: Int64 = 1
    while seq / unit >= 10 { unit *= 10 }
    while unit > 0 {
      text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: seq / unit % 10))
      unit /= 10
    }
  }
}

/// Which opening of the store gave out which numbers of the feed.
///
/// A cursor must not outlive the history that it belongs to: once an older backup is restored, numbers that were given
/// out before are given out again, to other sessions, and a client that asks for what comes after the old number would
/// miss them. So every opening draws a random id for the numbers that it will give out, the ids are kept in the store,
/// and a cursor carries its own. After a restore the ids differ from the backup's end on.
struct FeedEpochs: Sendable {
  /// The first number of each, growing; and its id.
  private var epochs: [(first: Int64, id: UInt32)] = []

  static let none = FeedEpochs()

  /// Begins an epoch. One that gave out no number is replaced, so that restarts alone add nothing.
  static func begin(_ connections: StoreConnections) throws -> FeedEpochs {
    let id = UInt32.random(in: .min ... .max)
    do {
      try connections.withWriter { db in
        try db.write {
          try db.run(
            "INSERT OR REPLACE INTO feed_epoch (first_seq, id) SELECT last_revocation + 1, ? FROM tally", Int64(id))
        }
      }
    } catch {
      // A full disk must not keep look-ups from being answered. An id that is not kept is unknown after the next
      // opening, and a client that has it reads everything again, which costs only the work.
    }
    return try connections.read { db in
      var epochs = FeedEpochs()
      epochs.epochs = try db.all("SELECT first_seq, id FROM feed_epoch ORDER BY first_seq") { row in
        try (row.integer(0), UInt32(truncatingIfNeeded: row.integer(1)))
      }
      let next = try Tally.fetch(db).lastRevocation + 1
      if epochs.epochs.last?.id != id { epochs.epochs.append((next, id)) }
      return epochs
    }
  }

  /// Begins an epoch for numbers that a command gives out. No opening began one for them if no server runs, and on a
  /// restored backup the last one is another history's. Where a server runs, its callers' cursors are unknown after its
  /// next start, and they read everything again.
  static func begin(_ db: Connection, first seq: Int64) throws {
    try db.run(
      "INSERT OR REPLACE INTO feed_epoch (first_seq, id) VALUES (?, ?)", seq, Int64(UInt32.random(in: .min ... .max)))
  }

  func id(of seq: Int64) -> UInt32? {
    var (low, high) = (0, epochs.count)
    while low < high {
      let middle = (low + high) / 2
      if epochs[middle].first <= seq { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : epochs[low - 1].id
  }
}
