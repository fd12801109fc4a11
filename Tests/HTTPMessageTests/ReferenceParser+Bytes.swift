extension UInt8 {
  static let carriageReturn: UInt8 = 0x0d
  static let lineFeed: UInt8 = 0x0a

  /// RFC 9110 §5.6.2.
  var isTchar: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(self)
    }
  }
}

extension [UInt8] {
  var endsInCRLF: Bool { suffix(2) == [.carriageReturn, .lineFeed] }
}
