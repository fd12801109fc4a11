internal import Bytes
internal import Foundation

/// A body as it may have been when it was signed, and what then happened to it on the way.
struct BodyVariant {
  /// What happened, as a sentence; `nil` for the body as it is.
  let finding: String?
  let bytes: [UInt8]

  /// The body itself, then every change that can be undone, the smaller ones first.
  static func all(of body: [UInt8]) -> [BodyVariant] {
    var variants = [BodyVariant(finding: nil, bytes: body)]
    func add(_ finding: String, _ bytes: [UInt8]) {
      if bytes != body { variants.append(BodyVariant(finding: finding, bytes: bytes)) }
    }
    let hasMark = body.starts(with: byteOrderMark)
    let bare = hasMark ? Array(body.dropFirst(byteOrderMark.count)) : body
    add("A UTF-8 byte order mark was put before the body after it was signed.", bare)
    addLineEnds(of: bare, add)
    addSerialisations(of: bare, add)
    return variants
  }

  private static func addLineEnds(of body: [UInt8], _ add: (String, [UInt8]) -> Void) {
    if body.last == lineFeed {
      add("A trailing newline (LF) was added to the body after it was signed.", Array(body.dropLast()))
    }
    if body.suffix(2) == [carriageReturn, lineFeed] {
      add("A trailing newline (CRLF) was added to the body after it was signed.", Array(body.dropLast(2)))
    }
    add("The body lost a trailing newline (LF) after it was signed.", body + [lineFeed])
    add("The body lost a trailing newline (CRLF) after it was signed.", body + [carriageReturn, lineFeed])

    var withoutReturns: [UInt8] = []
    for byte in body {
      if byte == lineFeed, withoutReturns.last == carriageReturn { withoutReturns.removeLast() }
      withoutReturns.append(byte)
    }
    add("The body's line ends were changed from LF to CRLF after it was signed.", withoutReturns)
    let withReturns = withoutReturns.flatMap { $0 == lineFeed ? [carriageReturn, lineFeed] : [$0] }
    add("The body's line ends were changed from CRLF to LF after it was signed.", withReturns)
  }

  private static func addSerialisations(of body: [UInt8], _ add: (String, [UInt8]) -> Void) {
    let compact = BodyRewriting.compact(body)
    let raw = BodyRewriting.unicodeUnescaped(compact)
    let escaped = BodyRewriting.unicodeEscaped(compact, upperCase: false)
    let cases = [
      ("in its compact form: white space was added", compact),
      ("with `/` where the body has `\\/`", BodyRewriting.slashesUnescaped(compact)),
      ("with `\\/` where the body has `/`", BodyRewriting.slashesEscaped(compact)),
      ("with raw characters where the body has `\\u` escapes", raw),
      ("with `\\u` escapes where the body has raw characters", escaped),
      ("with upper-case `\\u` escapes", BodyRewriting.unicodeEscaped(compact, upperCase: true)),
      ("with nothing escaped that need not be", BodyRewriting.slashesUnescaped(raw)),
      ("with `\\/` and `\\u` escapes", BodyRewriting.slashesEscaped(escaped)),
    ]
    for (form, bytes) in cases {
      add("The body was re-serialised after it was signed; the signature is for the JSON \(form).", bytes)
    }
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
}

extension Collection<UInt8> {
  /// The bytes behind an even number of hexadecimal digits of either case; `nil` for anything else.
  var decodedHexadecimal: [UInt8]? {
    guard count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in self {
      let value = Hexadecimal.nibble(digit)
      guard value < 16 else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }

  /// The bytes behind base64 in either alphabet, padded or not, as people paste it; `nil` for anything else.
  var decodedBase64: [UInt8]? {
    var digits = map {
      $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0
    }
    while digits.last == UInt8(ascii: "=") { digits.removeLast() }
    guard !digits.isEmpty else { return nil }
    digits += Array(repeating: UInt8(ascii: "="), count: (4 - digits.count % 4) % 4)
    return Data(base64Encoded: Data(digits)).map { [UInt8]($0) }
  }
}

extension BidirectionalCollection<UInt8> {
  /// Without spaces, tabs, carriage returns and line feeds at either end.
  func trimmingWhiteSpace() -> SubSequence {
    let isWhiteSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    var rest = drop(while: isWhiteSpace)
    while let last = rest.last, isWhiteSpace(last) { rest.removeLast() }
    return rest
  }
}

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
