internal import Bytes
internal import DynamicEvents

/// The text of one JSON value that a reader has passed, so that it is known to be valid.
extension Span<UInt8> {
  /// Whether every reader of JSON can be expected to take the text: RFC 8259 §9 lets them limit depth and numbers, and
  /// Python's stops at 4,300 digits and at about a thousand containers within each other.
  var isWithinUsualLimits: Bool {
    var (depth, digits) = (0, 0)
    var (isInString, isEscaped) = (false, false)
    for index in 0..<count {
      let byte = self[index]
      if isInString {
        isInString = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        continue
      }
      digits = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? digits + 1 : 0
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      if depth > 64 || digits > 1000 { return false }
    }
    return true
  }

  var isNull: Bool { count == 4 && self[0] == UInt8(ascii: "n") }

  /// Lends the UTF-8 bytes of the string; `nil` if the value is none.
  func withString<Result>(_ use: (Span<UInt8>) -> Result) -> Result? {
    var reader = JSONReader()
    guard let string = try? reader.string(in: self) else { return nil }
    return string.withValue(in: self) { use($0) }
  }

  /// Whether the value is a string or a list of strings, as RFC 7519 §4.1.3 has it.
  var isAudience: Bool { strings { _ in } }

  /// Whether the value is the string, or a list of strings with it among them.
  func isOrContains(_ expected: [UInt8]) -> Bool {
    var contains = false
    let areStrings = strings { if $0.isEqual(to: expected.span) { contains = true } }
    return areStrings && contains
  }

  /// Lends the string, or each one of the list. `false`: the value is something else, or holds it.
  private func strings(_ use: (Span<UInt8>) -> Void) -> Bool {
    var reader = JSONReader()
    do {
      guard try reader.enterArray(in: self) else { return withString(use) != nil }
      while try reader.nextElement(in: self) {
        guard let element = try reader.string(in: self) else { return false }
        element.withValue(in: self, use)
      }
      return true
    } catch {
      return false
    }
  }
}
