/// A strict reader of RFC 8259 in one pass over bytes: no allocation, no recursion, no stored span.
///
/// It stands before a value, or inside an object before a key; each function takes the same text and moves it on, and
/// whatever it passes is validated. After an error it must not be used.
package struct JSONReader {
  package internal(set) var position = 0
  private var depth = 0
  /// One bit for each of the innermost open containers, up to 64, the innermost lowest: set for an object, clear for an
  /// array.
  private var objects: UInt64 = 0
  /// The same for those around them, 64 a word. Dynamic's events nest three deep, so it stays empty; a text of N bytes
  /// needs N / 8 bytes here at most.
  private var outerObjects: [UInt64] = []
  /// A member or element was read in the innermost container, so that a comma or its end must follow.
  var isAfterValue = false

  package init() {}

  /// Reads one whole text and keeps nothing of it.
  package static func validate(_ text: Span<UInt8>) throws(JSONError) {
    var reader = JSONReader()
    try reader.skipValue(in: text)
    try reader.finish(text)
  }

  /// Enters the object that stands here. `false`, with nothing read, when another value does.
  package mutating func enterObject(in text: Span<UInt8>) throws(JSONError) -> Bool {
    guard try startOfValue(in: text) == UInt8(ascii: "{") else { return false }
    open(isObject: true)
    return true
  }

  /// The next key of the object entered last, with its colon; `nil`, and the object is left, at its end.
  package mutating func nextKey(in text: Span<UInt8>) throws(JSONError) -> JSONString? {
    skipWhiteSpace(in: text)
    if peek(in: text) == UInt8(ascii: "}") {
      close()
      return nil
    }
    if isAfterValue { try expect(UInt8(ascii: ","), in: text) }
    return try readKey(in: text)
  }

  /// The string that stands here; `nil`, with the value skipped, when it is none.
  package mutating func string(in text: Span<UInt8>) throws(JSONError) -> JSONString? {
    guard try startOfValue(in: text) == UInt8(ascii: "\"") else {
      try skipValue(in: text)
      return nil
    }
    let string = try readString(in: text)
    isAfterValue = true
    return string
  }

  /// The Boolean that stands here; `nil`, with the value skipped, when it is none.
  package mutating func boolean(in text: Span<UInt8>) throws(JSONError) -> Bool? {
    let start = try startOfValue(in: text)
    try skipValue(in: text)
    return start == UInt8(ascii: "t") ? true : start == UInt8(ascii: "f") ? false : nil
  }

  /// Passes the value that stands here, whatever it is.
  package mutating func skipValue(in text: Span<UInt8>) throws(JSONError) {
    let outside = depth
    repeat {
      // Here a value must begin.
      switch try startOfValue(in: text) {
      case UInt8(ascii: "{"):
        open(isObject: true)
        if try !isAtEnd(UInt8(ascii: "}"), in: text) {
          _ = try readKey(in: text)
          continue
        }
      case UInt8(ascii: "["):
        open(isObject: false)
        if try !isAtEnd(UInt8(ascii: "]"), in: text) { continue }
      case UInt8(ascii: "\""): _ = try readString(in: text)
      case UInt8(ascii: "t"): try readLiteral("true", in: text)
      case UInt8(ascii: "f"): try readLiteral("false", in: text)
      case UInt8(ascii: "n"): try readLiteral("null", in: text)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber(in: text)
      default: throw error(.unexpectedByte)
      }
      // Here one has ended; leave every container that ends with it.
      while depth > outside {
        let isObject = objects & 1 == 1
        if try isAtEnd(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), in: text) { continue }
        try expect(UInt8(ascii: ","), in: text)
        if isObject { _ = try readKey(in: text) }
        break
      }
    } while depth > outside
    isAfterValue = true
  }

  /// Makes sure that nothing but white space is left.
  package mutating func finish(_ text: Span<UInt8>) throws(JSONError) {
    skipWhiteSpace(in: text)
    guard position == text.count else { throw error(.trailingBytes) }
  }
}

extension JSONReader {
  func error(_ reason: JSONError.Reason) -> JSONError { JSONError(offset: position, reason: reason) }

  func peek(in text: Span<UInt8>) -> UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipWhiteSpace(in text: Span<UInt8>) {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  mutating func expect(_ byte: UInt8, in text: Span<UInt8>) throws(JSONError) {
    skipWhiteSpace(in: text)
    guard let found = peek(in: text) else { throw error(.unexpectedEnd) }
    guard found == byte else { throw error(.unexpectedByte) }
    position += 1
  }

  /// The first byte of the value that stands here, not consumed.
  mutating func startOfValue(in text: Span<UInt8>) throws(JSONError) -> UInt8 {
    // RFC 8259 §8.1 lets a parser ignore a byte order mark. Dynamic signs none, so we do not.
    if position == 0, text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { throw error(.byteOrderMark) }
    skipWhiteSpace(in: text)
    guard let byte = peek(in: text) else { throw error(.unexpectedEnd) }
    return byte
  }

  private mutating func readKey(in text: Span<UInt8>) throws(JSONError) -> JSONString {
    skipWhiteSpace(in: text)
    guard let byte = peek(in: text) else { throw error(.unexpectedEnd) }
    guard byte == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
    let key = try readString(in: text)
    try expect(UInt8(ascii: ":"), in: text)
    return key
  }

  mutating func open(isObject: Bool) {
    if depth > 0, depth % 64 == 0 {
      outerObjects.append(objects)
      objects = 0
    }
    position += 1
    depth += 1
    objects = objects << 1 | (isObject ? 1 : 0)
    isAfterValue = false
  }

  private mutating func close() {
    position += 1
    depth -= 1
    objects >>= 1
    if depth > 0, depth % 64 == 0 { objects = outerObjects.popLast() ?? 0 }
    isAfterValue = true
  }

  /// Closes the innermost container if its end stands here.
  mutating func isAtEnd(_ end: UInt8, in text: Span<UInt8>) throws(JSONError) -> Bool {
    skipWhiteSpace(in: text)
    guard let byte = peek(in: text) else { throw error(.unexpectedEnd) }
    guard byte == end else { return false }
    close()
    return true
  }

  private mutating func readLiteral(_ literal: StaticString, in text: Span<UInt8>) throws(JSONError) {
    for offset in 0..<literal.utf8CodeUnitCount {
      guard let byte = peek(in: text) else { throw error(.unexpectedEnd) }
      // `offset` is below the literal's own count.
      guard unsafe byte == literal.utf8Start[offset] else { throw error(.unexpectedByte) }
      position += 1
    }
  }
}

extension JSONReader {
  /// Enters the array that stands here. `false`, with nothing read, when another value does.
  package mutating func enterArray(in text: Span<UInt8>) throws(JSONError) -> Bool {
    guard try startOfValue(in: text) == UInt8(ascii: "[") else { return false }
    open(isObject: false)
    return true
  }

  /// Whether an element of the array entered last stands next; `false`, and the array is left, at its end.
  package mutating func nextElement(in text: Span<UInt8>) throws(JSONError) -> Bool {
    let isFirst = !isAfterValue
    if try isAtEnd(UInt8(ascii: "]"), in: text) { return false }
    if !isFirst { try expect(UInt8(ascii: ","), in: text) }
    return true
  }

  /// Passes the null that stands here. `false`, with nothing read, when another value does.
  package mutating func null(in text: Span<UInt8>) throws(JSONError) -> Bool {
    guard try startOfValue(in: text) == UInt8(ascii: "n") else { return false }
    try skipValue(in: text)
    return true
  }
}

/// Why bytes are not JSON (RFC 8259) as we take it. Holds no byte of the input, so it may be logged.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  /// Where the reader stopped, in bytes from the beginning.
  public let offset: Int
  public let reason: Reason

  public enum Reason: String, Sendable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "a byte that may not stand here"
    case byteOrderMark = "a byte order mark"
    case controlCharacter = "a control character inside a string"
    case invalidEscape = "an escape that does not exist"
    case invalidUTF8 = "a string that is not UTF-8"
    case invalidNumber = "a malformed number"
    case trailingBytes = "bytes after the value"
  }

  public var description: String { "at byte \(offset): \(reason.rawValue)" }
}
