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
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else { return nil }
      return range.contains(number) ? number : nil
    }
  }
}

extension ValueParser where Value == Duration {
  /// Above zero and at most `count` of `unit`.
  static func duration(upTo count: Int64, _ unit: WrittenDuration.Unit) -> Self {
    let longest = Duration.milliseconds(count * unit.milliseconds)
    return ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        throw Mismatch("\(text.debugDescription) has no unit: write \(text)s, or use ms, m, h or d")
      }
      guard let duration = WrittenDuration(text)?.duration, duration > .zero, duration <= longest else {
        throw Mismatch(text, isNot: "a duration from 1ms to \(count)\(unit), such as 500ms, 10s or 1h30m")
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

extension ValueParser where Value == ListenAddress {
  static var address: Self {
    Self("an address: HOST:PORT, [IPV6]:PORT or unix:/path") { ListenAddress($0) }
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
