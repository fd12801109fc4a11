internal import Bytes

/// A request line and its fields as offsets into the bytes they were parsed from; those bytes are handed along with it.
/// 16-bit offsets: a head is at most 65,535 bytes. Filled in place and used again, so that a request allocates nothing;
/// not copyable, because a copy would share the table of fields and nobody needs one.
package struct RequestHead: ~Copyable, Sendable {
  /// A part of the head's bytes.
  package struct Slice: Sendable {
    package var start: UInt16 = 0
    package var count: UInt16 = 0

    @inline(__always)
    package init(_ range: Range<Int>) {
      // The caller bounds every range by MessageLimits.headBytes; `truncating` cannot lose bits and cannot trap.
      start = UInt16(truncatingIfNeeded: range.lowerBound)
      count = UInt16(truncatingIfNeeded: range.count)
    }

    package init() {}

    package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
  }

  /// One field line: its name as it came, and its value without the white space around it.
  package struct Field: Sendable {
    package var name = Slice()
    package var value = Slice()

    /// `bytes` are the head's.
    @inline(__always)
    func isNamed(_ lowercase: StaticString, in bytes: Span<UInt8>) -> Bool {
      bytes.extracting(name.range).equals(ignoringCase: lowercase)
    }
  }

  package enum Method: Sendable, Equatable { case get, head, post, options, connect, other }

  /// How the body's end is found (RFC 9112 §6.3). A request without either field has no body.
  package enum Framing: Sendable, Equatable {
    case length(Int)
    case chunked
  }

  package var method = Method.other
  /// The target's path; empty for `*`, and for an absolute-form without a path.
  package var path = Slice()
  /// 0 or 1; a later minor version is treated as 1 (RFC 9110 §2.5).
  package var minorVersion: UInt8 = 1
  package var framing = Framing.length(0)
  /// Whether the peer wants the connection kept after the answer (RFC 9112 §9.3).
  package var keepsAlive = true
  package var expectsContinue = false
  /// A `close` was seen; no later `keep-alive` takes it back.
  var closes = false
  /// Bytes of the whole head, the empty line included.
  package var byteCount = 0
  package var fieldCount = 0
  /// Allocated once. Not an InlineArray: reading one element of it copies them all, with this compiler.
  private var fields = [Field](repeating: Field(), count: MessageLimits.fields)

  package init() {}

  /// The field at `index`, which is less than `fieldCount`.
  package func field(at index: Int) -> Field { fields[index] }

  /// Forgets the earlier request. The fields' bytes stay as they are: `fieldCount` says which of them count.
  mutating func reset() {
    method = .other
    path = Slice()
    minorVersion = 1
    framing = .length(0)
    keepsAlive = true
    expectsContinue = false
    closes = false
    byteCount = 0
    fieldCount = 0
  }

  mutating func append(_ field: Field) -> Bool {
    guard fieldCount < MessageLimits.fields else { return false }
    fields[fieldCount] = field
    fieldCount += 1
    return true
  }

  /// The value of the only field of this name (in lower case), where `bytes` are the head's.
  package func value(of name: StaticString, in bytes: Span<UInt8>) -> FieldLookup {
    var found: Slice?
    for index in 0..<fieldCount {
      let field = field(at: index)
      guard Int(field.name.count) == name.utf8CodeUnitCount else { continue }
      guard field.isNamed(name, in: bytes) else { continue }
      if found != nil { return .repeated }
      found = field.value
    }
    return found.map { .once($0.range) } ?? .absent
  }
}

/// A field that must stand at most once. Its absence and its repetition are different mistakes.
package enum FieldLookup: Sendable, Equatable {
  case absent
  case once(Range<Int>)
  case repeated
}

extension RequestHead {
  /// What stands behind the `?` of the target; empty without one. `bytes` are the head's.
  package func query(in bytes: Span<UInt8>) -> Range<Int> {
    let start = path.range.upperBound
    // The request line has been judged: the target ends with a space.
    guard start < bytes.count, bytes[start] == UInt8(ascii: "?") else { return start..<start }
    var end = start + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
    return start + 1..<end
  }
}
