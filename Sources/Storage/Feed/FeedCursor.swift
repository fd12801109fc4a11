internal import Bytes

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
