import HTTPMessage
import Testing

@Suite("The limits hold to the byte", .timeLimit(.minutes(2)))
struct MessageLimitsTests {
  static let get = "get / 1.1 keep"
  static let post = "post / 1.1 keep"

  /// A GET whose head has `total` bytes.
  static func head(of total: Int) -> String {
    let (start, end) = ("GET / HTTP/1.1\r\nHost: a\r\nY: ", "\r\n\r\n")
    return start + String(repeating: "y", count: total - start.utf8.count - end.utf8.count) + end
  }

  static func chunked(_ body: String) -> String {
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
  }

  static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

  /// In one piece, in pieces of 1,000 bytes and byte by byte.
  func expect(
    _ wire: String, _ outcomes: String..., limits: MessageLimits = MessageLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let wire = Array(wire.utf8)
    let thousands = stride(from: 0, to: wire.count, by: 1000).map { wire[$0..<min($0 + 1000, wire.count)] }
    for read in [
      Reading.outcomes([wire[...]], limits: limits), Reading.outcomes(thousands, limits: limits),
      Reading.outcomes(trickled: wire, limits: limits), ReferenceParser.outcomes(wire, limits: limits),
    ] where read.map(\.description) != outcomes {
      Issue.record("\(read.map { $0.description.prefix(80) })", sourceLocation: sourceLocation)
    }
  }

  @Test func `a head of 16,384 bytes passes, one more does not`() {
    expect(Self.head(of: 8000), Self.get)
    expect(Self.head(of: 16_384), Self.get)
    expect(Self.head(of: 16_385), "431")
    expect(Self.head(of: 16_386), "431")
    expect(Self.head(of: 40_000), "431")
    expect(Self.head(of: 16_384) + Self.head(of: 16_384), Self.get, Self.get)
    expect(Self.head(of: 16_384) + Self.head(of: 16_385), Self.get, "431")
  }

  @Test func `the empty line before a request belongs to its head`() {
    expect("\r\n" + Self.head(of: 16_382), Self.get)
    expect("\r\n" + Self.head(of: 16_383), "431")
  }

  @Test func `a head that never ends is refused at the byte that is too many`() {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nY: "
    expect(start + Self.repeated("y", 16_383 - start.utf8.count), "incomplete")
    expect(start + Self.repeated("y", 16_384 - start.utf8.count), "431")
  }

  @Test func `a request line beyond the head's limit is answered 414, not 431`() {
    let end = " HTTP/1.1\r\n"
    let path = Self.repeated("y", 16_384 - 5 - end.utf8.count)
    expect("GET /\(path)\(end)Host: a\r\n\r\n", "431")
    expect("GET /\(path)y\(end)Host: a\r\n\r\n", "414")
    expect("GET /\(Self.repeated("y", 20_000))\(end)Host: a\r\n\r\n", "414")
    expect("GET /\(Self.repeated("y", 16_384 - 5))", "incomplete")
    expect("GET /\(Self.repeated("y", 16_385 - 5))", "414")
    expect(Self.repeated("M", 16_385), "414")
  }

  @Test func `a path of 8,000 bytes passes`() {
    let path = "/" + Self.repeated("y", 8000)
    expect("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n", "get \(path) 1.1 keep")
  }

  @Test(arguments: [(1, get), (70, get), (99, get), (100, get), (101, "431"), (300, "431")])
  func `100 fields pass, the next does not`(count: Int, outcome: String) {
    expect("GET / HTTP/1.1\r\nHost: a\r\n\(Self.repeated("Y: y\r\n", count - 1))\r\n", outcome)
  }

  @Test func `a malformed line counts before the limit of fields and not behind it`() {
    let start = "GET / HTTP/1.1\r\nHost: a\r\n"
    expect("\(start)Y\r\n\(Self.repeated("Y: y\r\n", 100))\r\n", "400")
    expect("\(start)\(Self.repeated("Y: y\r\n", 100))Y\r\n\r\n", "431")
  }

  @Test(arguments: [65_536, 262_144, 262_145])
  func `a body of 262,144 bytes passes, one more does not`(count: Int) {
    let body = Self.repeated("y", count)
    let outcome = count > 262_144 ? "413" : "post / 1.1 keep [\(body)]"
    expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n\(body)", outcome)
    expect(Self.chunked("\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"), outcome)
  }

  @Test func `the sum of the chunks is what is limited`() {
    let body = Self.repeated("y", 262_144)
    expect(Self.chunked("40000\r\n\(body)\r\n0\r\n\r\n"), "post / 1.1 keep [\(body)]")
    expect(Self.chunked("40000\r\n\(body)\r\n1\r\ny\r\n0\r\n\r\n"), "413")
    expect(Self.chunked("20000\r\n\(body.prefix(131_072))\r\n20001\r\n"), "413")
  }

  @Test func `10,000 chunks of one byte pass`() {
    let body = Self.chunked(Self.repeated("1\r\ny\r\n", 10_000) + "0\r\n\r\n")
    expect(body, "post / 1.1 keep [\(Self.repeated("y", 10_000))]")
  }

  @Test func `extensions and trailers have the size of a head, and eight bytes more for each byte of content`() {
    func padded(_ content: Int, extension count: Int) -> String {
      Self.chunked("\(content);\(Self.repeated("e", count))\r\n\(Self.repeated("y", content))\r\n0\r\n\r\n")
    }
    // The size, the semicolon and the line end come before any content, and count with the extension.
    expect(padded(1, extension: 16_384 - 4), "post / 1.1 keep [y]")
    expect(padded(1, extension: 16_384 - 3), "400")
    expect(padded(9, extension: 16_384 - 4), "post / 1.1 keep [yyyyyyyyy]")

    func trailed(_ count: Int) -> String { Self.chunked("0\r\nY: \(Self.repeated("y", count))\r\n\r\n") }
    // So do the last chunk's size, the field's name and three line ends: 10 bytes.
    expect(trailed(16_384 - 10), Self.post)
    expect(trailed(16_384 - 9), "400")
    expect(Self.chunked("0\r\n" + Self.repeated("Y: y\r\n", 2000) + "\r\n"), Self.post)
    expect(Self.chunked("0\r\n" + Self.repeated("Y: y\r\n", 3000) + "\r\n"), "400")
  }

  @Test func `a trailer line is never longer than a head, however much content came before it`() {
    func trailed(_ count: Int) -> String {
      Self.chunked("2710\r\n\(Self.repeated("y", 10_000))\r\n0\r\nY: \(Self.repeated("y", count))\r\n\r\n")
    }
    expect(trailed(16_384 - 5), "\(Self.post) [\(Self.repeated("y", 10_000))]")
    expect(trailed(16_384 - 4), "431")
  }

  @Test(arguments: ["Content-Length: 262144", "Transfer-Encoding: chunked"], [1, 1000, 65_536])
  func `a body is gathered in the memory that the limits name, however it comes`(framing: String, piece: Int) throws {
    let limits = MessageLimits()
    var reader = RequestReader(limits: limits)
    var head = RequestHead()
    let body = [UInt8](repeating: 0x79, count: limits.bodyBytes)
    let chunked = Array("\(String(limits.bodyBytes, radix: 16))\r\n".utf8) + body
    let wire =
      Array("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n".utf8)
      + (framing.hasPrefix("T") ? chunked : Array(body.dropLast()))
    var offset = 0
    var most = 0
    while offset < wire.count {
      let end = min(offset + piece, wire.count)
      offset += try reader.next(wire.span.extracting(offset..<end), head: &head).consumed
      most = max(most, reader.storage.capacity)
    }
    #expect(most >= limits.bodyBytes)
    // The allocator rounds up, by a page at most.
    #expect(most <= limits.headBytes + limits.bodyBytes + 4096)
  }

  @Test func `other limits are kept as well`() {
    var limits = MessageLimits()
    limits.headBytes = 60
    limits.bodyBytes = 0
    expect(Self.head(of: 60), Self.get, limits: limits)
    expect(Self.head(of: 61), "431", limits: limits)
    expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Self.post, limits: limits)
    expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny", "413", limits: limits)
    expect(Self.chunked("0\r\n\r\n"), Self.post, limits: limits)
    expect(Self.chunked("1\r\ny\r\n0\r\n\r\n"), "413", limits: limits)
  }
}
