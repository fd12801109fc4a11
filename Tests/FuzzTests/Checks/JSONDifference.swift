import DynamicEvents
import Foundation

/// Every place where our reader and Foundation's (`JSONSerialization`, `JSONDecoder`) differ in what they take for
/// JSON.
///
/// Not among them, though parsers differ here: invalid UTF-8 and control characters are refused by both; of a
/// key that occurs twice `JSONDecoder` takes the first as we do (`JSONSerialization` takes the last).
enum JSONDifference: CaseIterable {
  /// Foundation takes a comma before `}` and `]`. RFC 8259 §4 and §5 do not.
  case trailingComma
  /// Foundation nests to 512, by recursion. We nest as deep as a body is long.
  case nestingLimit
  /// Foundation ignores one (RFC 8259 §8.1 allows both). Dynamic signs none.
  case byteOrderMark
  /// Foundation guesses UTF-16 and UTF-32 from marks and zeros. RFC 8259 §8.1 knows UTF-8 alone.
  case otherEncodings
  /// Foundation refuses a number beyond `Double`, for it makes a value of it. We make none, and the RFC has no bound.
  case hugeNumber
  /// Foundation refuses half of a surrogate pair. RFC 8259 §8.2 leaves it open, and JavaScript writes them.
  case loneSurrogate

  static func explains(_ body: [UInt8], ours error: JSONError?) -> Bool {
    allCases.contains { $0.applies(to: body, error) }
  }

  /// A text for each, on which the two must differ: a difference that has gone must leave this list.
  var example: [UInt8] {
    switch self {
    case .trailingComma: Array(#"{"eventName":"ping",}"#.utf8)
    case .nestingLimit: Array((String(repeating: "[", count: 513) + String(repeating: "]", count: 513)).utf8)
    case .byteOrderMark: [0xEF, 0xBB, 0xBF] + Array("{}".utf8)
    case .otherEncodings: "{}".utf8.flatMap { [$0, 0] }
    case .hugeNumber: Array(#"{"eventName":"ping","n":1e999}"#.utf8)
    case .loneSurrogate: Array(#"{"eventName":"ping","s":"\ud83d"}"#.utf8)
    }
  }

  /// `error`: what we say of the body; `nil` when we take it.
  private func applies(to body: [UInt8], _ error: JSONError?) -> Bool {
    switch self {
    case .trailingComma:
      guard let error, error.reason == .unexpectedByte, body[error.offset] == 0x5D || body[error.offset] == 0x7D else {
        return false
      }
      return body[..<error.offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: ",")
    case .nestingLimit: return error == nil && body.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") } > 512
    case .byteOrderMark: return error?.reason == .byteOrderMark
    case .otherEncodings:
      return error != nil
        && (body.prefix(4).contains(0) || body.starts(with: [0xFE, 0xFF]) || body.starts(with: [0xFF, 0xFE]))
    case .hugeNumber: return error == nil && Self.numbers(in: body).contains { $0.isInfinite }
    case .loneSurrogate: return error == nil && Self.hasLoneSurrogate(body)
    }
  }

  private static func hasLoneSurrogate(_ body: [UInt8]) -> Bool {
    String(decoding: body, as: UTF8.self)
      .replacing(/\\[^u]/, with: "")
      .replacing(/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/, with: "")
      .contains(/\\u[dD][89a-fA-F]/)
  }

  /// The numbers of a text that is JSON: whatever of their bytes stands outside strings.
  private static func numbers(in body: [UInt8]) -> [Double] {
    var numbers: [Double] = []
    var token = ""
    var isInString = false
    var isEscaped = false
    for byte in body + [0x20] {
      if !isInString, "+-.0123456789Ee".utf8.contains(byte) {
        token.unicodeScalars.append(UnicodeScalar(byte))
        continue
      }
      if let number = Double(token) { numbers.append(number) }
      token = ""
      if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
      isEscaped = isInString && byte == UInt8(ascii: "\\") && !isEscaped
    }
    return numbers
  }
}
