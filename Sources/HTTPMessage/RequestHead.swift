internal import Bytes

/// A request line and its fields as offsets into the bytes they were parsed from; those bytes are handed along with it.
/// 16-bit offsets: a head is at most 65,535 bytes. Filled in place and used again, so that a request allocates nothing;
/// not copyable, because a copy would share the table of fields, and none is needed.
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

extension RequestHead {
  /// Gives the fields that frame the message their meaning. Each is refused when two readers could understand it
  /// differently: that difference is what request smuggling lives on (RFC 9112 §11.2).
  mutating func interpretFields(_ bytes: Span<UInt8>) throws(RequestError) {
    var length: Int?
    var chunked = false
    var hosts = 0
    for index in 0..<fieldCount {
      let field = field(at: index)
      // Most names are told apart by their length.
      switch field.name.count {
      case 4 where field.isNamed("host", in: bytes):
        hosts += 1
        guard HostField.isValid(bytes.extracting(field.value.range)) else { throw .bad("the Host field is malformed") }
      case 6 where field.isNamed("expect", in: bytes):
        guard minorVersion == 1 else { continue }
        guard bytes.extracting(field.value.range).equals(ignoringCase: "100-continue") else {
          throw RequestError(.expectationFailed, "the only expectation met here is 100-continue")
        }
        expectsContinue = true
      case 10 where field.isNamed("connection", in: bytes):
        interpretConnection(bytes.extracting(field.value.range))
      case 14 where field.isNamed("content-length", in: bytes):
        // RFC 9112 §6.3 would allow a repeated equal value; no sender of ours needs it.
        guard length == nil else { throw .bad("Content-Length stands twice") }
        length = try Self.contentLength(bytes.extracting(field.value.range))
      case 17 where field.isNamed("transfer-encoding", in: bytes):
        guard !chunked else { throw .bad("Transfer-Encoding stands twice") }
        guard bytes.extracting(field.value.range).equals(ignoringCase: "chunked") else {
          throw RequestError(.notImplemented, "the only transfer coding read here is chunked")
        }
        chunked = true
      default:
        continue
      }
    }
    // RFC 9112 §3.2: exactly one in HTTP/1.1; HTTP/1.0 may leave it out.
    guard hosts == 1 || (hosts == 0 && minorVersion == 0) else {
      throw .bad(hosts == 0 ? "the Host field is missing" : "the Host field stands twice")
    }
    if chunked {
      // RFC 9112 §6.1 lets a server process both; HTTP/1.0 knows no codings. Both are how messages are smuggled.
      guard length == nil else { throw .bad("Transfer-Encoding and Content-Length exclude each other") }
      guard minorVersion == 1 else { throw .bad("HTTP/1.0 has no transfer codings") }
      framing = .chunked
    } else {
      framing = .length(length ?? 0)
    }
  }

  /// `1*DIGIT` (RFC 9110 §8.6). No sign, no list, no white space inside, no overflow.
  private static func contentLength(_ value: Span<UInt8>) throws(RequestError) -> Int {
    var length = 0
    guard !value.isEmpty else { throw .bad("Content-Length is not a number") }
    for index in value.indices {
      guard value[index].isDigit else { throw .bad("Content-Length is not a number") }
      let (tens, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(value[index] &- 0x30))
      // A number that no machine can hold is still a number: too large, not malformed.
      length = overflow || carry ? .max : sum
    }
    return length
  }

  /// A list of options (RFC 9110 §7.6.1). `close` wins over `keep-alive`; options unknown here are no business of ours.
  private mutating func interpretConnection(_ value: Span<UInt8>) {
    var start = 0
    for index in 0...value.count where index == value.count || value[index] == 0x2c {
      let part = value.extracting(start..<index)
      let option = part.extracting(part.trimmedRange)
      if option.equals(ignoringCase: "close") {
        closes = true
      } else if option.equals(ignoringCase: "keep-alive"), minorVersion == 0 {
        keepsAlive = true
      }
      start = index + 1
    }
    if closes { keepsAlive = false }
  }
}

enum HostField {
  /// `uri-host [ ":" port ]` (RFC 9110 §7.2), loosely: the right bytes, brackets and port in their places. The value is
  /// never used to route, so only what could split or confuse is refused. Empty is allowed (RFC 9112 §3.2: a target
  /// without authority).
  static func isValid(_ value: Span<UInt8>) -> Bool {
    var inBrackets = false
    var port = false
    // What nearly every host begins with, and most are nothing else.
    var start = 0
    while start < value.count, ByteClass.domainName.contains(value[start]) { start += 1 }
    for index in start..<value.count {
      let byte = value[index]
      guard ByteClass.authority.contains(byte) else { return false }
      switch byte {
      case 0x5b:
        guard index == 0 else { return false }
        inBrackets = true
      case 0x5d:
        guard inBrackets, index > 1, index + 1 == value.count || value[index + 1] == 0x3a else { return false }
        inBrackets = false
      case 0x3a where !inBrackets:
        guard !port, index > 0 else { return false }
        port = true
      default:
        guard inBrackets ? byte.hexDigitValue != nil || byte == 0x3a || byte == 0x2e : !port || byte.isDigit
        else { return false }
      }
    }
    return !inBrackets
  }
}
