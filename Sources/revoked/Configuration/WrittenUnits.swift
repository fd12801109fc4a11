/// A duration as people write it: `500ms`, `10s`, `5m`, `12h`, `30d`, or combined, longest unit first: `1h30m`.
struct WrittenDuration: Equatable, Sendable {
  /// Longest first.
  enum Unit: String, CaseIterable {
    case d, h, m, s, ms

    var milliseconds: Int64 {
      switch self {
      case .d: 86_400_000
      case .h: 3_600_000
      case .m: 60_000
      case .s: 1_000
      case .ms: 1
      }
    }
  }

  let duration: Duration

  /// `nil` for anything else: no unit, a sign, a fraction, a unit twice or out of order, an overflow.
  init?(_ text: String) {
    guard !text.isEmpty else { return nil }
    var rest = text[...]
    var units = Unit.allCases[...]
    var total: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let name = rest.prefix { !$0.isNumber }
      rest = rest.dropFirst(name.count)
      guard let number = Int64(digits), let at = units.firstIndex(where: { $0.rawValue == name }) else { return nil }
      let (part, tooLong) = number.multipliedReportingOverflow(by: units[at].milliseconds)
      let (sum, overflow) = total.addingReportingOverflow(part)
      if tooLong || overflow { return nil }
      total = sum
      units = units[at...].dropFirst()
    }
    duration = .milliseconds(total)
  }
}

/// A size as people write it: `262144`, `256KiB`, `1MiB` or `1GiB`.
struct ByteCount: Equatable {
  let bytes: Int

  /// `nil` for anything else, a sign, a fraction or an overflow among them. `KB` is refused: some mean 1,000 by it.
  init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
    guard let number = Int(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    self.bytes = bytes
  }
}
