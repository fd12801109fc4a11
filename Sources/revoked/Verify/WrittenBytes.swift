internal import Bytes
internal import Foundation

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
