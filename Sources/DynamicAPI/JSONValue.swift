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
    self.init(text, 0..<text.count)
  }

  private init(_ text: [UInt8], _ range: Range<Int>) {
    self.text = text
    var start = range.lowerBound
    while start < range.upperBound, text[start].isJSONWhiteSpace { start += 1 }
    self.range = start..<range.upperBound
  }

  /// The first member of that name; `nil` as well when this is no object.
  subscript(name: String) -> JSONValue? {
    let (reader, value) = (JSONReader(), text.span.extracting(range))
    return Self.member(in: value, reader) { $0 == name }.map(child)
  }

  /// The same, whatever the case of the letters: a header field's.
  subscript(ignoringCase name: String) -> JSONValue? {
    let (reader, value) = (JSONReader(), text.span.extracting(range))
    return Self.member(in: value, reader) { $0.lowercased() == name.lowercased() }.map(child)
  }

  private static func member(
    in value: Span<UInt8>, _ reader: JSONReader, _ isMeant: (String) -> Bool
  ) -> Range<Int>? {
    var reader = reader
    guard (try? reader.enterObject(in: value)) == true else { return nil }
    while let key = try? reader.nextKey(in: value) {
      let start = reader.position
      guard (try? reader.skipValue(in: value)) != nil else { return nil }
      if isMeant(key.text(in: value)) { return start..<reader.position }
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
      let start = reader.position
      guard (try? reader.skipValue(in: value)) != nil else { return nil }
      elements.append(child(start..<reader.position))
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
