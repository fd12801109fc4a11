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
