internal import Bytes
internal import DynamicEvents

/// A value of a JSON text, together with the bytes that it came in.
///
/// Dynamic's API returns bodies that were signed. A value that is decoded and encoded again has other bytes, so that
/// its signature no longer fits. Null, absent and of another type are one: nearly every field of the API may be
/// missing.
struct JSONValue: Sendable {
  private let text: [UInt8]
  private let range: Range<Int>

  /// `nil` for what is not JSON.
  init?(_ text: [UInt8]) {
    guard (try? JSONReader.validate(text.span)) != nil else { return nil }
    (self.text, range) = (text, (text.firstIndex { !$0.isJSONWhiteSpace } ?? 0)..<text.count)
  }

  /// - Parameter range: begins with the value.
  private init(_ text: [UInt8], _ range: Range<Int>) {
    (self.text, self.range) = (text, range)
  }

  /// The first member of that name, byte for byte; `nil` as well when this is no object.
  subscript(name: String) -> JSONValue? { member { $0.isEqual(to: name.utf8Span.span) } }

  /// The same, whatever the case of the letters: a header field's.
  subscript(ignoringCase name: String) -> JSONValue? {
    member { key in
      guard let key = try? UTF8Span(validating: key) else { return false }
      return String(copying: key).lowercased() == name.lowercased()
    }
  }

  private func member(_ isMeant: (Span<UInt8>) -> Bool) -> JSONValue? {
    let value = text.span.extracting(range)
    var reader = JSONReader()
    guard (try? reader.enterObject(in: value)) == true else { return nil }
    while let key = try? reader.nextKey(in: value) {
      guard let member = try? reader.value(in: value) else { return nil }
      if key.withValue(in: value, isMeant) { return child(member) }
    }
    return nil
  }

  /// `nil` when this is no array.
  var elements: [JSONValue]? {
    let value = text.span.extracting(range)
    var reader = JSONReader()
    guard (try? reader.enterArray(in: value)) == true else { return nil }
    var elements: [JSONValue] = []
    while (try? reader.nextElement(in: value)) == true {
      guard let element = try? reader.value(in: value) else { return nil }
      elements.append(child(element))
    }
    return elements
  }

  private func child(_ part: Range<Int>) -> JSONValue {
    JSONValue(text, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }

  /// `nil` when this is no string.
  var string: String? {
    let value = text.span.extracting(range)
    var reader = JSONReader()
    return (try? reader.string(in: value))?.text(in: value)
  }

  var boolean: Bool? {
    var reader = JSONReader()
    return try? reader.boolean(in: text.span.extracting(range))
  }

  /// `nil` when this is no number, or none that fits.
  var integer: Int? { Int(String(decoding: text[range], as: UTF8.self)) }

  var isNull: Bool {
    var reader = JSONReader()
    return (try? reader.null(in: text.span.extracting(range))) == true
  }

  var isObject: Bool { range.isEmpty ? false : text[range.lowerBound] == UInt8(ascii: "{") }

  /// The bytes without the white space between them, as `JSON.stringify` writes them. All else stays as it came.
  var compact: [UInt8] {
    var compact: [UInt8] = []
    compact.reserveCapacity(range.count)
    var isInString = false
    var isEscaped = false
    for byte in text[range] {
      if !isInString, byte.isJSONWhiteSpace { continue }
      compact.append(byte)
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString.toggle()
      }
    }
    return compact
  }
}

extension UInt8 {
  fileprivate var isJSONWhiteSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
