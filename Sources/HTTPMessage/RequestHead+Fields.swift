internal import Bytes

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
