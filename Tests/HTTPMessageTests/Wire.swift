/// Bytes as text that a person can read and a fixture can hold: `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` for what is not
/// visible ASCII.
enum Wire {
  /// nil when an escape is unknown or a character stands there that should be escaped.
  static func bytes(of text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard (0x20...0x7e).contains(scalar.value) else { return nil }
      guard scalar == "\\" else {
        bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        continue
      }
      switch rest.popFirst() {
      case "r": bytes.append(0x0d)
      case "n": bytes.append(0x0a)
      case "t": bytes.append(0x09)
      case "0": bytes.append(0x00)
      case "\\": bytes.append(0x5c)
      case "x":
        let digits = rest.prefix(2).map { Character($0) }
        guard digits.count == 2, let byte = UInt8(String(digits), radix: 16) else { return nil }
        bytes.append(byte)
        rest = rest.dropFirst(2)
      default: return nil
      }
    }
    return bytes
  }

  static func text(of bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x0d: text += Array(#"\r"#.utf8)
      case 0x0a: text += Array(#"\n"#.utf8)
      case 0x09: text += Array(#"\t"#.utf8)
      case 0x00: text += Array(#"\0"#.utf8)
      case 0x5c: text += Array(#"\\"#.utf8)
      case 0x20...0x7e: text.append(byte)
      default: text += Array((#"\x"# + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
