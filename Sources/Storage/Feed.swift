internal import Bytes
package import DynamicEvents

/// The feed, for those who keep a copy of the set of revoked sessions.
package protocol FeedReading: Sendable {
  /// The newest number of the feed that this process knows to be committed, at the cost of a load.
  var lastRevocation: Int64 { get }

  /// The cursor of a caller who has read everything up to this number.
  func cursor(at seq: Int64) -> FeedCursor

  /// Whether a caller who has read up to this cursor can go on from there. If not, the store's history is another one
  /// since: it must read from the beginning. A caller who has read nothing can always go on.
  func knows(_ cursor: FeedCursor) -> Bool

  /// The entries behind a position, in the order of their numbers, as of one moment; `limit` bounds the rows that are
  /// looked at. What has expired is left out.
  ///
  /// A caller that goes on at `end` until `isLast` has every session that was revoked at the last call: a row only ever
  /// moves behind all others, when its expiry grows, and so cannot slip from what is still to come into what is past.
  func feed(after position: Int64, limit: Int, at now: Timestamp) throws(StoreError) -> FeedPage

  /// Calls `changed` when another process may have committed something, with `lastRevocation` as new as that: on a
  /// queue of its own, at most once at a time. Must be brief.
  func observeChanges(_ changed: @escaping @Sendable () -> Void) throws(StoreError) -> any ChangeObservation
}

package protocol ChangeObservation: Sendable {
  /// No call begins from now on.
  func cancel()
}

/// A revoked session or a cut-off, as those who keep a copy of the set need it.
package struct FeedEntry: Hashable, Sendable {
  package enum Subject: Hashable, Sendable {
    case session(SessionID, revokedAt: Timestamp)
    case cutOff(CutOff)
  }

  package var cursor: FeedCursor
  package var subject: Subject
  /// From when on the JWTs have expired by themselves, so that the entry may be forgotten. The subject may come again,
  /// with a later one.
  package var expiresAt: Timestamp

  package init(cursor: FeedCursor, subject: Subject, expiresAt: Timestamp) {
    self.cursor = cursor
    self.subject = subject
    self.expiresAt = expiresAt
  }
}

/// The entries that come next.
package struct FeedPage: Sendable {
  package var entries: [FeedEntry]
  /// Where the next page begins; beyond the last entry where what follows it has expired or is gone.
  package var end: Int64
  /// Nothing was there behind it.
  package var isLast: Bool
  /// How many numbers that were given out have no session any more, since it moved behind all others or was forgotten,
  /// or are a cut-off's. Never less in a later page.
  package var departures: Int64

  package init(entries: [FeedEntry], end: Int64, isLast: Bool, departures: Int64) {
    self.entries = entries
    self.end = end
    self.isLast = isLast
    self.departures = departures
  }
}

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
package struct FeedEpochs: Sendable {
  /// The first number of each, growing; and its id.
  private var epochs: [(first: Int64, id: UInt32)] = []

  package static let none = FeedEpochs([])

  /// - Parameter epochs: in the order of their first numbers.
  package init(_ epochs: [(first: Int64, id: UInt32)]) {
    self.epochs = epochs
  }

  /// The newest one's id.
  package var last: UInt32? { epochs.last?.id }

  package mutating func append(_ id: UInt32, first: Int64) { epochs.append((first, id)) }

  package func id(of seq: Int64) -> UInt32? {
    var (low, high) = (0, epochs.count)
    while low < high {
      let middle = (low + high) / 2
      if epochs[middle].first <= seq { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : epochs[low - 1].id
  }
}
