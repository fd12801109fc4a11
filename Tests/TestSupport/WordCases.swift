/// Inputs for readers that take eight bytes at a time.
package enum WordCases {
  /// Each byte at each place of two words and a bit, read from each start.
  package static func places(_ check: (_ bytes: [UInt8], _ start: Int) -> Void) {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<19 {
        var bytes = [UInt8](repeating: 0x61, count: 19)
        bytes[place] = byte
        for start in 0...19 { check(bytes, start) }
      }
    }
  }

  /// Any two bytes beside each other in one word.
  package static func pairs(_ check: (_ bytes: [UInt8]) -> Void) {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max { check([0x61, 0x61, first, second, 0x61, 0x61, 0x61, 0x61]) }
    }
  }
}
