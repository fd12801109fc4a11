internal import Bytes
internal import DynamicEvents

/// Finds the cookie that carries the JWT in the value of a `Cookie` field (RFC 6265 §4.2).
///
/// The application behind us reads the same field with a parser of its own, and such parsers differ: some unquote, some
/// split at commas or white space, some fold case, some decode names. A request gets past us if we read one JWT and the
/// application another, so a field in which *any* of these parsers could find the cookie elsewhere is refused. Other
/// cookies may be as odd as they like.
package struct TokenCookie: Sendable {
  /// The field is not one that every reader understands alike.
  package struct Ambiguous: Error {}

  private let name: [UInt8]

  /// Returns `nil` if `name` is no cookie name: a token of RFC 9110 §5.6.2.
  package init?(name: String) {
    let name = Array(name.utf8)
    guard !name.isEmpty, name.allSatisfy({ $0.isTokenByte }) else { return nil }
    self.name = name
  }

  /// Returns where the cookie's value lies in `field`, or `nil` if there is no such cookie. The work is linear.
  package func value(in field: Span<UInt8>) throws(Ambiguous) -> Range<Int>? {
    var found: Range<Int>?
    // A name stands before `=`. It begins where any reader would let it begin.
    var start = 0
    var opener = UInt8(ascii: ";")
    var index = 0
    while index < field.count {
      let byte = field[index]
      switch byte {
      case UInt8(ascii: "="):
        if resembles(field.extracting(start..<index)) {
          guard opener == UInt8(ascii: ";"), found == nil, isExact(field.trimmed(start..<index), in: field) else {
            throw Ambiguous()
          }
          let end = field.firstIndex(of: UInt8(ascii: ";"), from: index)
          found = field.trimmed(index + 1..<end)
          // What stands in the value is the JWT reader's to judge: it takes no byte that a cookie parser could stumble
          // on.
          index = end
          continue
        }
        (start, opener) = (index + 1, byte)
      case UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\""):
        (start, opener) = (index + 1, byte)
      default: break
      }
      index += 1
    }
    return found
  }

  private func isExact(_ range: Range<Int>, in field: Span<UInt8>) -> Bool {
    guard range.count == name.count else { return false }
    for offset in 0..<name.count where field[range.lowerBound + offset] != name[offset] { return false }
    return true
  }

  /// Whether some reader could take this for the name: in another case, behind white space, percent-encoded, or with
  /// the characters that PHP replaces by `_`.
  private func resembles(_ text: Span<UInt8>) -> Bool {
    var (start, end) = (0, text.count)
    while start < end, text[start].isWhiteSpaceToSome { start += 1 }
    while end > start, text[end - 1].isWhiteSpaceToSome { end -= 1 }
    if isLike(text.extracting(start..<end)) { return true }
    var last = end
    while last > start, !text[last - 1].isWhiteSpaceToSome { last -= 1 }
    return last > start && isLike(text.extracting(last..<end))
  }

  private func isLike(_ text: Span<UInt8>) -> Bool {
    guard text.count >= name.count else { return false }
    var index = 0
    // What is decoded to a space at the beginning, PHP drops.
    while index < text.count {
      let (byte, next) = decoded(text, at: index)
      guard byte == 0x20 || byte == UInt8(ascii: "+") else { break }
      index = next
    }
    for expected in name {
      guard index < text.count else { return false }
      let (byte, next) = decoded(text, at: index)
      guard byte.looseForm == expected.looseForm else { return false }
      index = next
    }
    return index == text.count
  }

  private func decoded(_ text: Span<UInt8>, at index: Int) -> (byte: UInt8, next: Int) {
    guard text[index] == UInt8(ascii: "%"), index + 3 <= text.count, let high = text[index + 1].hexadecimalValue,
      let low = text[index + 2].hexadecimalValue
    else { return (text[index], index + 1) }
    return (high << 4 | low, index + 3)
  }
}

extension Span<UInt8> {
  /// `range` without the white space at its ends.
  fileprivate func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, self[start].isWhiteSpace { start += 1 }
    while end > start, self[end - 1].isWhiteSpace { end -= 1 }
    return start..<end
  }
}

extension UInt8 {
  fileprivate var isWhiteSpace: Bool { self == 0x20 || self == 0x09 }

  /// Outside ASCII as well: readers in Python and JavaScript strip all that Unicode calls white space, such as U+00A0,
  /// from Latin-1 or from UTF-8.
  fileprivate var isWhiteSpaceToSome: Bool { isWhiteSpace || self >= 0x80 }

  /// RFC 9110 §5.6.2.
  fileprivate var isTokenByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: Array("!#$%&'*+-.^_`|~".utf8).contains(self)
    }
  }

  /// One form for all that a reader may take for each other in a name.
  fileprivate var looseForm: UInt8 {
    switch self {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): self | 0x20
    case UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "+"), 0x20: UInt8(ascii: "_")
    default: self
    }
  }

  fileprivate var hexadecimalValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
