internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import Signature

/// A string as JSON writes it (RFC 8259 §7).
enum JSONText {
  /// As bytes, because a String put together scalar by scalar costs more than a look-up.
  static func append(_ text: String, to output: inout [UInt8]) {
    append(text.utf8.span, to: &output)
  }

  /// - Parameter text: UTF-8; what is none becomes U+FFFD.
  static func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    if text.endOfPlainText(from: 0) == text.count {
      // Nearly every text: copied as a block.
      output.append(contentsOf: text)
    } else {
      var copy: [UInt8] = []
      copy.append(contentsOf: text)
      for byte in String(decoding: copy, as: UTF8.self).utf8 { append(byte, to: &output) }
    }
    output.append(UInt8(ascii: "\""))
  }

  private static func append(_ byte: UInt8, to output: inout [UInt8]) {
    guard isEscaped(byte) else { return output.append(byte) }
    output.append(UInt8(ascii: "\\"))
    guard byte < 0x20 else { return output.append(byte) }
    output.append(contentsOf: "u00")
    output.append(Hexadecimal.digit(byte >> 4))
    output.append(Hexadecimal.digit(byte))
  }

  /// No byte of a longer scalar is one of these.
  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }
}

extension JSONEncoder {
  /// As the commands print it: the keys in the order of the alphabet.
  static var ofAnswers: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
