#if PostgreSQL
  /// A statement's parameter in PostgreSQL's binary format; nil is NULL.
  package struct Parameter: Sendable {
    let bytes: [UInt8]?

    package static let null = Parameter(bytes: nil)

    package init(bytes: [UInt8]?) {
      self.bytes = bytes
    }

    /// `bigint`.
    package init(_ number: Int64) {
      bytes = number.bigEndianBytes
    }

    package init(_ number: Int64?) {
      bytes = number?.bigEndianBytes
    }

    package init(_ number: Int) {
      self.init(Int64(number))
    }

    package init(_ truth: Bool) {
      bytes = [truth ? 1 : 0]
    }

    /// `text`.
    package init(_ text: String?) {
      bytes = text.map(Self.utf8)
    }

    /// `bytea`.
    package init(_ bytes: [UInt8]) {
      self.bytes = bytes
    }

    /// PostgreSQL's text holds every character but NUL, which would fail the statement: it becomes U+FFFD.
    static func utf8(_ text: String) -> [UInt8] {
      text.utf8.contains(0) ? Array(text.replacing("\0", with: "\u{FFFD}").utf8) : Array(text.utf8)
    }
  }

  /// An array parameter, built element by element in PostgreSQL's binary format.
  package struct ArrayParameter: Sendable {
    /// The element types' numbers in `pg_type`, which are the same in every database.
    package enum Element: Int32, Sendable {
      case bytea = 17
      case character = 18
      case bigint = 20
      case integer = 23
      case text = 25
      case uuid = 2950
    }

    private var bytes: [UInt8] = []
    private var count: Int32 = 0
    private var hasNull = false

    /// - Parameter capacity: bytes of the elements, four for each one's length included.
    package init(_ element: Element, capacity: Int = 0) {
      bytes.reserveCapacity(20 + capacity)
      // Dimensions, whether there are NULLs, the type, the length, the first index.
      for number in [1, 0, element.rawValue, 0, 1] { bytes.append(contentsOf: number.bigEndianBytes) }
    }

    package mutating func appendNull() {
      hasNull = true
      count += 1
      bytes.append(contentsOf: Int32(-1).bigEndianBytes)
    }

    package mutating func append(_ number: Int64) {
      appendLength(8)
      appendWord(UInt64(bitPattern: number))
    }

    package mutating func append(_ number: Int64?) {
      if let number { append(number) } else { appendNull() }
    }

    package mutating func append(integer number: Int) {
      appendLength(4)
      bytes.append(contentsOf: Int32(truncatingIfNeeded: number).bigEndianBytes)
    }

    package mutating func append(_ text: String?) {
      guard let text else { return appendNull() }
      append(Parameter.utf8(text))
    }

    package mutating func append(_ value: [UInt8]) {
      appendLength(value.count)
      bytes.append(contentsOf: value)
    }

    /// A UUID, as the two words that hold its bytes in memory in this order.
    package mutating func append(bigEndianWords words: (UInt64, UInt64)) {
      appendLength(16)
      appendWord(UInt64(bigEndian: words.0))
      appendWord(UInt64(bigEndian: words.1))
    }

    private mutating func appendLength(_ length: Int) {
      count += 1
      let length = UInt32(truncatingIfNeeded: length)
      for shift in stride(from: UInt32(24), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }

    private mutating func appendWord(_ word: UInt64) {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }

    package var parameter: Parameter {
      var bytes = bytes
      bytes.replaceSubrange(4..<8, with: Int32(hasNull ? 1 : 0).bigEndianBytes)
      bytes.replaceSubrange(12..<16, with: count.bigEndianBytes)
      // An array without an element has no dimension.
      if count == 0 {
        bytes.replaceSubrange(0..<4, with: Int32(0).bigEndianBytes)
        bytes.removeSubrange(12...)
      }
      return Parameter(bytes: bytes)
    }
  }

  extension FixedWidthInteger {
    fileprivate var bigEndianBytes: [UInt8] {
      (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self(Self.bitWidth - 8 - 8 * $0)) }
    }
  }
#endif
