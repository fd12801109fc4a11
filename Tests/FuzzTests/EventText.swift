import TestSupport

/// Random JSON that looks like an event: the names that are read, in and out of their places, with values of every
/// type.
struct EventText {
  private var text = ""

  /// The bodies to begin from are the vectors' and generated ones.
  static func body(_ random: inout SplitMix) -> [UInt8] {
    var body: [UInt8]
    if random.oneIn(3) {
      body = random.pick(Vector.all).body
    } else {
      var generator = EventText()
      if random.oneIn(12) { generator.value(depth: 0, &random) } else { generator.event(&random) }
      body = Array(generator.text.utf8)
    }
    if random.oneIn(2) { mutator.mutate(&body, &random) }
    return body
  }

  static let mutator = Mutator(
    tokens: (names.map { "\"\($0)\":" } + atoms + [
      ",", ":", "{", "}", "[", "]", "\"", "\\", "\\u", "\\u0000", "\\u00e9", "\\ud83d", "\\ude00", "\\ud83d\\ude00",
      "\\/", "\\x", " ",
      "\u{0}", "\u{b}", "\u{feff}", "\u{2028}", "é", "😀", "//", "e", ".", "-", String(repeating: "[", count: 70),
    ]).map { Array($0.utf8) } + [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]])

  private static let names = FoundationEvent.envelope + FoundationEvent.session + ["redelivery", "data", "", "Id", "x"]

  private static let atoms = [
    "null", "true", "false", "0", "-0", "1", "-1.5e+3", "1e999", "1E-999", "123456789012345678901234567890", "01", "1.",
    "-", "NaN",
    #""user.session.revoked""#, #""admin.user.session.revoked""#, #""ping""#, #""""#, #""wallet.created""#,
    #""3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10""#, #""3F0C6F6E-1C3A-4F0B-9A52-6D1F8E2B7C10""#,
    #""2026-10-01T09:00:00.348Z""#,
    #""2026-10-01T09:00:00+02:00""#, #""\u0070ing""#, #""a\"b\\c\/d\b\f\n\r\t""#, #""\ud83d\ude00""#, #""é😀""#,
    #""\ud800""#,
  ]

  private mutating func event(_ random: inout SplitMix) {
    members(
      [("eventName", 8)] + FoundationEvent.envelope.map { ($0, 2) } + [("redelivery", 2), ("data", 2)], depth: 0,
      &random)
  }

  /// An object with each name about once in so many times, and others between them.
  private mutating func members(_ names: [(String, Int)], depth: Int, _ random: inout SplitMix) {
    var isFirst = true
    text += "{"
    for (name, weight) in names.shuffled(using: &random) where !random.oneIn(weight) || random.oneIn(3) {
      for name in random.oneIn(6) ? [name, random.pick(Self.names)] : [name] {
        if !isFirst { text += "," }
        isFirst = false
        space(&random)
        key(name, &random)
        space(&random)
        text += ":"
        if name == "data", depth == 0, !random.oneIn(8) {
          members([("id", 8)] + FoundationEvent.session.map { ($0, 2) }, depth: 1, &random)
        } else if name == "eventName", !random.oneIn(8) {
          text += random.pick([
            "\"user.session.revoked\"", "\"admin.user.session.revoked\"", "\"ping\"", "\"user.created\"",
          ])
        } else if name == "id", !random.oneIn(8) {
          text += "\"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10\""
        } else {
          value(depth: depth + 1, &random)
        }
      }
    }
    space(&random)
    text += "}"
  }

  private mutating func value(depth: Int, _ random: inout SplitMix) {
    space(&random)
    switch random.below(depth < 6 ? 8 : 6) {
    case 0: members(Self.names.prefix(random.below(6)).map { ($0, 2) }, depth: depth + 1, &random)
    case 1 where random.oneIn(8): array(depth: depth + random.below(80), count: 1, &random)
    case 6, 7: array(depth: depth, count: random.below(4), &random)
    default: text += random.pick(Self.atoms)
    }
    space(&random)
  }

  private mutating func array(depth: Int, count: Int, _ random: inout SplitMix) {
    let nesting = count == 1 ? 1 + depth : 1
    text += String(repeating: "[", count: nesting)
    for index in 0..<count {
      if index > 0 { text += "," }
      value(depth: depth + 1, &random)
    }
    text += String(repeating: "]", count: nesting)
  }

  /// A name, sometimes with one of its letters escaped.
  private mutating func key(_ name: String, _ random: inout SplitMix) {
    let escaped = random.oneIn(8) ? random.below(name.count) : -1
    text += "\""
    for (position, scalar) in name.unicodeScalars.enumerated() {
      text += position == escaped ? "\\u00" + String(scalar.value, radix: 16) : String(scalar)
    }
    text += "\""
  }

  private mutating func space(_ random: inout SplitMix) {
    if random.oneIn(6) { text += random.pick([" ", "\n", "\t", "\r\n", "  "]) }
  }
}
