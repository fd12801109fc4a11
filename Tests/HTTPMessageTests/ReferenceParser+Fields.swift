import HTTPMessage

extension ReferenceParser {
  /// `field-line = field-name ":" OWS field-value OWS` (RFC 9112 §5), at most 100 of them.
  static func fields(_ lines: ArraySlice<[UInt8]>) throws(Stop) -> [ReadRequest.Field] {
    var fields: [ReadRequest.Field] = []
    for line in lines {
      guard let field = field(line) else { throw .refused(400) }
      guard fields.count < MessageLimits.fields else { throw .refused(431) }
      fields.append(field)
    }
    return fields
  }

  static func field(_ line: [UInt8]) -> ReadRequest.Field? {
    guard line.endsInCRLF else { return nil }
    let content = line.dropLast(2)
    guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let name = Array(content[..<colon])
    let value = content[(colon + 1)...]
    // field-vchar = VCHAR / obs-text, and white space between them (RFC 9110 §5.5)
    guard !name.isEmpty, name.allSatisfy(\.isTchar), value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) })
    else { return nil }
    return ReadRequest.Field(name: name, value: trimmed(value))
  }

  /// Without OWS at both ends (RFC 9110 §5.6.3).
  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    func isWhite(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    return Array(bytes.drop(while: isWhite).reversed().drop(while: isWhite).reversed())
  }

  /// What the fields say of the message's framing and of the connection (RFC 9112 §3.2, §6, §9.3; RFC 9110 §10.1.1).
  func interpretFields(of request: inout ReadRequest) throws(Stop) -> RequestHead.Framing {
    var mistakes: [(line: Int, status: Int)] = []
    let fields = request.fields
    func values(_ name: String) -> [(line: Int, text: String)] {
      fields.enumerated()
        .filter { String(decoding: $1.name, as: UTF8.self).lowercased() == name }
        .map { (line: $0, text: String(String.UnicodeScalarView($1.value.map { Unicode.Scalar($0) }))) }
    }
    let hosts = values("host")
    let lengths = values("content-length")
    let codings = values("transfer-encoding")
    let expectations = request.minorVersion == 0 ? [] : values("expect")

    // Faults of single lines.
    mistakes += hosts.filter { !Self.isHost($0.text) }.map { ($0.line, 400) }
    mistakes += expectations.filter { $0.text.lowercased() != "100-continue" }.map { ($0.line, 417) }
    mistakes += lengths.filter { $0.text.wholeMatch(of: /[0-9]+/) == nil }.map { ($0.line, 400) }
    mistakes += lengths.dropFirst().map { ($0.line, 400) }
    mistakes += codings.prefix(1).filter { $0.text.lowercased() != "chunked" }.map { ($0.line, 501) }
    mistakes += codings.dropFirst().map { ($0.line, 400) }
    // Faults of the whole.
    if hosts.count > 1 || (hosts.isEmpty && request.minorVersion == 1) { mistakes.append((.max, 400)) }
    if !codings.isEmpty && (!lengths.isEmpty || request.minorVersion == 0) { mistakes.append((.max, 400)) }
    let length = lengths.first.map { Int($0.text) ?? .max } ?? 0
    if length > limits.bodyBytes { mistakes.append((.max, 413)) }
    if let first = mistakes.min(by: { $0.line < $1.line }) { throw .refused(first.status) }

    let options = values("connection").flatMap { $0.text.split(separator: ",") }
      .map { String(decoding: Self.trimmed(Array($0.utf8)[...]), as: UTF8.self).lowercased() }
    request.keepsAlive = !options.contains("close") && (request.minorVersion == 1 || options.contains("keep-alive"))
    request.expectsContinue = !expectations.isEmpty
    return codings.isEmpty ? .length(length) : .chunked
  }
}
