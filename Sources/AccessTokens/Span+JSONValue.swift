internal import DynamicEvents

/// The text of one JSON value that a reader has passed, so that it is known to be valid.
extension Span<UInt8> {
  var isNull: Bool { count == 4 && self[0] == UInt8(ascii: "n") }

  /// Lends the UTF-8 bytes of the string; `nil` if the value is none.
  func withString<Result>(_ use: (Span<UInt8>) -> Result) -> Result? {
    var reader = JSONReader()
    guard let string = try? reader.string(in: self) else { return nil }
    return string.withValue(in: self) { use($0) }
  }

  /// Whether the value is the string, or a list with the string among its elements.
  func isOrContains(_ expected: [UInt8]) -> Bool {
    var reader = JSONReader()
    do {
      guard try reader.enterArray(in: self) else { return withString { $0.isEqual(to: expected) } ?? false }
      var contains = false
      while try reader.nextElement(in: self) {
        // Every element must be a string, as RFC 7519 §4.1.3 has it.
        guard let element = try reader.string(in: self) else { return false }
        if element.withValue(in: self, { $0.isEqual(to: expected) }) { contains = true }
      }
      return contains
    } catch {
      return false
    }
  }

  func isEqual(to other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index] != other[index] { return false }
    return true
  }

  func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    // `index` is below the literal's own count.
    for index in 0..<count where unsafe self[index] != text.utf8Start[index] { return false }
    return true
  }
}
