/// The rewritings that JSON suffers between signer and receiver, done on the text so that key order and numbers
/// survive. Input that is not JSON gives some other bytes, which then match no signature.
enum BodyRewriting {
  /// Without the white space between tokens: what `JSON.stringify` writes.
  static func compact(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var isInString = false
    var isEscaped = false
    for byte in text {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == backslash {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
        continue
      } else if byte == UInt8(ascii: "\"") {
        isInString = true
      }
      result.append(byte)
    }
    return result
  }

  /// `\/` becomes `/`.
  static func slashesUnescaped(_ text: [UInt8]) -> [UInt8] {
    rewrite(text) { position, result in
      guard text[position] == backslash, position + 1 < text.count, text[position + 1] == slash else { return 0 }
      result.append(slash)
      return 2
    }
  }

  /// `/` becomes `\/`, as PHP writes it.
  static func slashesEscaped(_ text: [UInt8]) -> [UInt8] {
    rewrite(text) { position, result in
      guard text[position] == slash else { return 0 }
      result.append(contentsOf: [backslash, slash])
      return 1
    }
  }

  /// `\u00e9` becomes the UTF-8 of é; what must stay escaped stays.
  static func unicodeUnescaped(_ text: [UInt8]) -> [UInt8] {
    rewrite(text) { position, result in
      guard let first = codeUnit(in: text, at: position) else { return 0 }
      var units = [first]
      if UTF16.isLeadSurrogate(first), let second = codeUnit(in: text, at: position + 6) { units.append(second) }
      var decoder = UTF16()
      var iterator = units.makeIterator()
      guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return 0 }
      guard scalar.value >= 0x20, scalar != "\"", scalar != "\\" else { return 0 }
      result.append(contentsOf: Character(scalar).utf8)
      return scalar.value > 0xFFFF ? 12 : 6
    }
  }

  /// é becomes `\u00e9`, as Python and PHP write it; some write the digits in upper case.
  static func unicodeEscaped(_ text: [UInt8], upperCase: Bool) -> [UInt8] {
    var result: [UInt8] = []
    for unit in String(decoding: text, as: UTF8.self).utf16 {
      if let ascii = UInt8(exactly: unit), ascii < 0x80 {
        result.append(ascii)
      } else {
        let digits = String(unit, radix: 16, uppercase: upperCase)
        result.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      }
    }
    return result
  }

  private static let backslash = UInt8(ascii: "\\")
  private static let slash = UInt8(ascii: "/")

  /// Copies `text`, offering each position that does not lie inside an escape to `replace`, which returns how many
  /// bytes it replaced; with 0 the byte is copied, an escape's second byte along with it.
  private static func rewrite(_ text: [UInt8], _ replace: (Int, inout [UInt8]) -> Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      let replaced = replace(position, &result)
      if replaced > 0 {
        position += replaced
        continue
      }
      let copied = text[position] == backslash && position + 1 < text.count ? 2 : 1
      result.append(contentsOf: text[position..<position + copied])
      position += copied
    }
    return result
  }

  /// The number in a `\uXXXX` that begins at `position`.
  private static func codeUnit(in text: [UInt8], at position: Int) -> UInt16? {
    guard position + 6 <= text.count, text[position] == backslash, text[position + 1] == UInt8(ascii: "u") else {
      return nil
    }
    guard let bytes = text[position + 2..<position + 6].decodedHexadecimal else { return nil }
    return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
  }
}
