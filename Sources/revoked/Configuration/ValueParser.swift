internal import Bytes
internal import HTTPServer
internal import Logging

/// From a value as written to a typed one.
struct ValueParser<Value>: Sendable {
  let parse: @Sendable (ConfigurationValue) throws(Mismatch) -> Value

  /// For a value that must be one text: `parse` gives `nil` for what is not `right`.
  init(_ right: String, _ parse: @escaping @Sendable (String) -> Value?) {
    self.parse = { (value) throws(Mismatch) in
      let text = try value.single
      guard let parsed = parse(text) else { throw Mismatch(text, isNot: right) }
      return parsed
    }
  }

  init(_ parse: @escaping @Sendable (ConfigurationValue) throws(Mismatch) -> Value) {
    self.parse = parse
  }

  var optional: ValueParser<Value?> {
    ValueParser<Value?> { (value) throws(Mismatch) in try parse(value) }
  }
}

extension ConfigurationValue {
  /// The value of a key that takes one.
  var single: String {
    get throws(Mismatch) {
      guard case .text(let text) = content else { throw Mismatch("takes one value, not a list") }
      return text
    }
  }

  /// The values of a key that takes several. Outside the file `separated` says what a text holds.
  func several(_ separated: (String) -> [String] = { [$0] }) -> [String] {
    switch content {
    case .list(let list): list
    case .text(let text): separated(text)
    }
  }
}

extension ValueParser where Value == Int {
  static func bytes(_ range: ClosedRange<Int>) -> Self {
    Self("a number of bytes from \(range.lowerBound) to \(range.upperBound)") { text in
      ByteCount(text).flatMap { range.contains($0.bytes) ? $0.bytes : nil }
    }
  }

  static func count(_ range: ClosedRange<Int>) -> Self {
    Self("a number from \(range.lowerBound) to \(range.upperBound)") { text in
      // `Int("+4")` succeeds, hence the check of the digits.
      guard text.utf8.areDigits, let number = Int(text) else { return nil }
      return range.contains(number) ? number : nil
    }
  }
}

extension ValueParser where Value == Duration {
  /// Above zero and at most `count` of `unit`.
  static func duration(upTo count: Int64, _ unit: WrittenDuration.Unit) -> Self {
    duration(from: .milliseconds(1), "1ms", upTo: count, unit)
  }

  /// At most `count` of `unit`.
  static func durationOrZero(upTo count: Int64, _ unit: WrittenDuration.Unit) -> Self {
    duration(from: .zero, "0s", upTo: count, unit)
  }

  private static func duration(
    from shortest: Duration, _ least: String, upTo count: Int64, _ unit: WrittenDuration.Unit
  ) -> Self {
    let longest = Duration.milliseconds(count * unit.milliseconds)
    return ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      if text.utf8.areDigits {
        throw Mismatch("\(text.debugDescription) has no unit: write \(text)s, or use ms, m, h or d")
      }
      guard let duration = WrittenDuration(text)?.duration, duration >= shortest, duration <= longest else {
        throw Mismatch(text, isNot: "a duration from \(least) to \(count)\(unit), such as 500ms, 10s or 1h30m")
      }
      return duration
    }
  }
}

extension ValueParser where Value == Bool {
  /// Only these two words: YAML's `yes`, `on` and `1` mean different things to different readers.
  static var truth: Self {
    Self("true or false") { ["true": true, "false": false][$0] }
  }
}

extension ValueParser where Value == Settings.NewStore {
  static var newStore: Self {
    Self("make or refuse") { Settings.NewStore(rawValue: $0) }
  }
}

extension ValueParser where Value == ListenAddress {
  static var address: Self {
    Self { (value) throws(Mismatch) in
      let text = try value.single
      if let address = ListenAddress(text) { return address }
      throw Mismatch("\(Mismatch.quoted(text)) \(reason(text))")
    }
  }

  /// The slips that are common, each with what to write instead.
  private static func reason(_ text: String) -> String {
    let port = text.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
    let isNumber = port.utf8.areDigits
    if text.contains("://") { return "is a URL; write HOST:PORT" }
    if text.hasPrefix("unix:"), text.utf8.count > 107 + "unix:".utf8.count {
      return "has a path of more than 107 bytes, which is what a socket's may have"
    }
    if text.hasPrefix("/") { return "is a path; write unix:\(text) for a socket" }
    if isNumber, text == port || text == ":" + port {
      return "lacks a host; write 127.0.0.1:\(port) or 0.0.0.0:\(port)"
    }
    if isNumber, UInt16(port) == nil { return "has a port above 65535" }
    if text.count(where: { $0 == ":" }) > 1, !text.hasPrefix("[") { return "is IPv6; write [ADDRESS]:PORT" }
    if !text.contains(":") { return "lacks a port; write \(text):8080" }
    return "is not an address: HOST:PORT, [IPV6]:PORT or unix:/path"
  }
}

extension ValueParser where Value == Logger.Level {
  static var level: Self {
    Self("one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))") { Logger.Level(rawValue: $0) }
  }
}

extension ValueParser where Value == LogFormat {
  static var format: Self {
    Self("text or json") { LogFormat(rawValue: $0) }
  }
}

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
