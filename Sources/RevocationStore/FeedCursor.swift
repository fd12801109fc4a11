/// A place in the feed: everything up to it has been read. Written as `EPOCH-SEQ`, eight lower-case hexadecimal digits and a decimal number;
/// for callers it is opaque.
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
    // A sequence number has at most 19 digits, and begins with none that means nothing.
    guard (10...28).contains(text.count), text[8] == UInt8(ascii: "-"), text[9] != UInt8(ascii: "0") else { return nil }
    epoch = 0
    seq = 0
    for index in 0..<8 {
      switch text[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): epoch = epoch << 4 | UInt32(text[index] - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): epoch = epoch << 4 | UInt32(text[index] - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    for index in 9..<text.count {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else { return nil }
      let (tens, overflow) = seq.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(text[index] - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      seq = sum
    }
  }

  package func append(to text: inout [UInt8]) {
    for shift in stride(from: 28, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: epoch >> UInt32(shift) & 15)
      text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
    text.append(UInt8(ascii: "-"))
    text.append(contentsOf: String(seq).utf8)
  }
}
