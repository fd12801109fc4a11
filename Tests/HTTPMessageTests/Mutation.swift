import TestSupport

/// Small harm done to wire bytes, of the kind that parsers disagree about.
struct Mutation {
  /// What the inputs are made from.
  let seeds: [[UInt8]]

  private static let fragments: [[UInt8]] =
    [
      "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ":", ",", ";", "\0", "\u{b}", "%", "/", "?", "*", "-", "+", "_", "x",
      "\"", "chunked", "close", "keep-alive", "100-continue", "0\r\n\r\n", "Host: a\r\n", "Content-Length: 1\r\n",
      "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "GET / HTTP/1.1\r\n", "HTTP/1.0",
    ].map { Array($0.utf8) } + (0...9).map { Array(String($0).utf8) } + [[0x7f], [0x80], [0xff]]

  /// A seed with one to four changes.
  func input(using random: inout SplitMix) -> [UInt8] {
    var wire = seed(&random)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let start = Int.random(in: 0...wire.count, using: &random)
      let end = min(wire.count, start + Int.random(in: 1...6, using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where start < end: wire[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1 where start < end: wire[start] = .random(in: 0...255, using: &random)
      case 2: wire.removeSubrange(start..<end)
      case 3: wire.insert(contentsOf: wire[start..<end], at: start)
      case 4: wire.replaceSubrange(start..., with: splice(&random))
      case 5: wire += seed(&random)
      case 6: duplicateLine(of: &wire, at: start)
      default: wire.insert(contentsOf: Self.fragments.randomElement(using: &random) ?? [], at: start)
      }
    }
    return wire
  }

  private func seed(_ random: inout SplitMix) -> [UInt8] { seeds.randomElement(using: &random) ?? [] }

  /// The later part of another seed.
  private func splice(_ random: inout SplitMix) -> ArraySlice<UInt8> {
    let other = seed(&random)
    return other.suffix(Int.random(in: 0...other.count, using: &random))
  }

  private func duplicateLine(of wire: inout [UInt8], at position: Int) {
    let start = wire[..<position].lastIndex(of: .lineFeed).map { $0 + 1 } ?? 0
    guard let end = wire[position...].firstIndex(of: .lineFeed) else { return }
    wire.insert(contentsOf: wire[start...end], at: start)
  }
}
