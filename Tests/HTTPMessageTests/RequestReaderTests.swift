import HTTPMessage
import Testing

@Suite("Requests are found in a stream of bytes")
struct RequestReaderTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let wire: String
    let outcomes: [String]
    var testDescription: String { name }

    init(_ name: String, _ wire: String, _ outcomes: String...) {
      self.name = name
      self.wire = wire
      self.outcomes = outcomes
    }
  }

  static let host = "Host: a\r\n"

  /// Each names its section of RFC 9112 (or 9110, where it says so).
  static let cases: [Case] = [
    Case("§2.1 a GET without body", "GET / HTTP/1.1\r\n\(host)\r\n", "get / 1.1 keep"),
    Case("§2.2 one empty line before a request is ignored", "\r\nGET / HTTP/1.1\r\n\(host)\r\n", "get / 1.1 keep"),
    Case("§2.2 two empty lines are not", "\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§2.2 a bare LF ends no request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400"),
    Case("§2.2 a bare LF ends no field line", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"),
    Case("§2.2 a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "400"),
    Case("§2.3 HTTP/1.0 closes unless asked", "GET / HTTP/1.0\r\n\r\n", "get / 1.0 close"),
    Case("§2.3 HTTP/1.7 is read as 1.1", "GET / HTTP/1.7\r\n\(host)\r\n", "get / 1.1 keep"),
    Case("§2.3 HTTP/2.0 is not spoken", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
    Case("§2.3 the version's name is case-sensitive", "GET / http/1.1\r\n\(host)\r\n", "400"),
    Case("§2.3 no version at all (HTTP/0.9)", "GET /\r\n", "400"),
    Case("§3 two spaces", "GET  / HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3 a tab for a space", "GET\t/ HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3 a space behind the version", "GET / HTTP/1.1 \r\n\(host)\r\n", "400"),
    Case("§3 a TLS hello on the plain port", "\u{16}\u{03}\u{01}\u{02}", "400"),
    Case("§3.1 methods are case-sensitive", "get / HTTP/1.1\r\n\(host)\r\n", "other / 1.1 keep"),
    Case("§3.2.1 the query is no part of the path", "GET /a?b=/c HTTP/1.1\r\n\(host)\r\n", "get /a 1.1 keep"),
    Case("§3.2.1 a fragment", "GET /a#b HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3.2.1 percent-encoding stays as it is", "GET /%2e%2E/ HTTP/1.1\r\n\(host)\r\n", "get /%2e%2E/ 1.1 keep"),
    Case("§3.2.1 broken percent-encoding", "GET /%2 HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3.2.1 a byte outside ASCII", "GET /\u{e9} HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3.2.2 absolute-form", "GET http://a:80/x HTTP/1.1\r\n\(host)\r\n", "get /x 1.1 keep"),
    Case("§3.2.2 another scheme", "GET ftp://a/x HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3.2.3 authority-form belongs to proxies", "CONNECT a:443 HTTP/1.1\r\n\(host)\r\n", "501"),
    Case("§3.2.4 asterisk-form", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", "options  1.1 keep"),
    Case("§3.2.4 asterisk-form with GET", "GET * HTTP/1.1\r\n\(host)\r\n", "400"),
    Case("§3.2 no Host", "GET / HTTP/1.1\r\n\r\n", "400"),
    Case("§3.2 two Hosts", "GET / HTTP/1.1\r\n\(host)\(host)\r\n", "400"),
    Case("§3.2 a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"),
    Case("§3.2 an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "get / 1.1 keep"),
    Case("§5 white space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
    Case("§5 an empty name", "GET / HTTP/1.1\r\n\(host): x\r\n\r\n", "400"),
    Case("§5 a name that is no token", "GET / HTTP/1.1\r\n\(host)a(b): x\r\n\r\n", "400"),
    Case("§5.1 white space around the value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "get / 1.1 keep"),
    Case("§5.2 a folded line", "GET / HTTP/1.1\r\n\(host)X: a\r\n b\r\n\r\n", "400"),
    Case("§5.5 (9110) NUL in a value", "GET / HTTP/1.1\r\n\(host)X: a\0b\r\n\r\n", "400"),
    Case(
      "§6.1 chunked", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
      "post / 1.1 keep [abcd]"),
    Case(
      "§6.1 chunked with trailers",
      "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", "post / 1.1 keep [a]"),
    Case(
      "§6.1 with Content-Length",
      "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    Case(
      "§6.1 twice", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    Case("§6.1 another coding", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", "501"),
    Case("§6.1 an obfuscated coding", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n", "501"),
    Case("§6.1 in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    Case("§6.2 Content-Length", "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nabc", "post / 1.1 keep [abc]"),
    Case("§6.2 a list", "POST / HTTP/1.1\r\n\(host)Content-Length: 3, 3\r\n\r\nabc", "400"),
    Case("§6.2 twice", "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"),
    Case("§6.2 a sign", "POST / HTTP/1.1\r\n\(host)Content-Length: +3\r\n\r\nabc", "400"),
    Case("§6.2 empty", "POST / HTTP/1.1\r\n\(host)Content-Length:\r\n\r\n", "400"),
    Case("§6.2 hexadecimal", "POST / HTTP/1.1\r\n\(host)Content-Length: 0x3\r\n\r\nabc", "400"),
    Case("§6.2 more than any Int", "POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n", "413"),
    Case("§6.2 too large", "POST / HTTP/1.1\r\n\(host)Content-Length: 262145\r\n\r\n", "413"),
    Case(
      "§7.1 a chunk size with white space", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n",
      "400"),
    Case("§7.1 a negative chunk size", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400"),
    Case(
      "§7.1 a chunk size that ends in LF", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n",
      "400"),
    Case(
      "§7.1 a chunk without CRLF", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "400"),
    Case(
      "§7.1 a chunk size that overflows",
      "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n", "413"),
    Case(
      "§7.1 leading zeros without end",
      "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n00000000000000000\r\n", "400"),
    Case(
      "§7.1.1 LF in an extension", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n",
      "400"),
    Case("§9.3 close", "GET / HTTP/1.1\r\n\(host)Connection: keep-alive, Close\r\n\r\n", "get / 1.1 close"),
    Case("§9.3 HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "get / 1.0 keep"),
    Case(
      "§9.3.2 pipelined requests",
      "GET /a HTTP/1.1\r\n\(host)\r\nPOST /b HTTP/1.1\r\n\(host)Content-Length: 1\r\n\r\nxGET /c HTTP/1.1\r\n\(host)\r\n",
      "get /a 1.1 keep", "post /b 1.1 keep [x]", "get /c 1.1 keep"),
    Case(
      "§9.3.2 earlier requests stand before a malformed one", "GET /a HTTP/1.1\r\n\(host)\r\nGET\r\n",
      "get /a 1.1 keep", "400"),
    Case(
      "§10.1.1 (9110) Expect", "POST / HTTP/1.1\r\n\(host)Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
      "post / 1.1 keep expect [x]"),
    Case("§10.1.1 (9110) another expectation", "POST / HTTP/1.1\r\n\(host)Expect: cake\r\n\r\n", "417"),
    Case("a head cut short", "GET / HTTP/1.1\r\nHost: a\r\n", "incomplete"),
    Case("a body cut short", "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nab", "incomplete"),
  ]

  @Test("as the RFCs say, however the bytes are cut", arguments: cases)
  func verdict(_ example: Case) {
    let wire = Array(example.wire.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    #expect(Reading.outcomes([wire[...]]) == example.outcomes, "in one piece")
    for cut in 1..<max(2, wire.count) {
      #expect(Reading.outcomes([wire[..<cut], wire[cut...]]) == example.outcomes, "cut at \(cut)")
    }
    #expect(Reading.outcomes(wire.indices.map { wire[$0...$0] }) == example.outcomes, "byte by byte")
  }

  @Test("100 fields pass, 101 do not", arguments: [(99, "get / 1.1 keep"), (100, "431")])
  func fieldCount(more: Int, outcome: String) {
    let wire = Array("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: more))\r\n".utf8)
    #expect(Reading.outcomes([wire[...]]) == [outcome])
    #expect(Reading.outcomes([wire[..<90], wire[90...]]) == [outcome])
  }

  @Test("the head's last allowed byte and the one after it", arguments: [(16_384, "get / 1.1 keep"), (16_385, "431")])
  func headSize(total: Int, outcome: String) {
    let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
    let value = String(repeating: "x", count: total - frame.utf8.count)
    let wire = Array("GET / HTTP/1.1\r\nHost: a\r\nX: \(value)\r\n\r\n".utf8)
    #expect(Reading.outcomes([wire[...]]) == [outcome])
    #expect(Reading.outcomes([wire[..<9000], wire[9000...]]) == [outcome])
    #expect(Reading.outcomes(wire.indices.map { wire[$0...$0] }) == [outcome])
  }

  @Test("a request line that never ends is told so")
  func lineTooLong() {
    let wire = Array("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    #expect(Reading.outcomes([wire[...]]) == ["414"])
    #expect(Reading.outcomes([wire[..<9000], wire[9000...]]) == ["414"])
  }

  @Test("a body of the largest size passes, chunked or not, and one byte more is refused")
  func bodySize() {
    let body = String(repeating: "x", count: 262_144)
    let sized = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262144\r\n\r\n\(body)".utf8)
    #expect(Reading.outcomes([sized[..<500], sized[500...]]) == ["post / 1.1 keep [\(body)]"])
    let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let chunked = Array("\(start)40000\r\n\(body)\r\n0\r\n\r\n".utf8)
    #expect(Reading.outcomes([chunked[..<500], chunked[500...]]) == ["post / 1.1 keep [\(body)]"])
    let larger = Array("\(start)40000\r\n\(body)\r\n1\r\nx\r\n0\r\n\r\n".utf8)
    #expect(Reading.outcomes([larger[..<500], larger[500...]]) == ["413"])
  }

  @Test("chunks of one byte pass; extensions without end do not")
  func chunkOverhead() {
    let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let tiny = Array((start + String(repeating: "1\r\nx\r\n", count: 10_000) + "0\r\n\r\n").utf8)
    #expect(Reading.outcomes([tiny[...]]) == ["post / 1.1 keep [\(String(repeating: "x", count: 10_000))]"])
    let padded = Array((start + "1;" + String(repeating: "e", count: 20_000) + "\r\nx\r\n0\r\n\r\n").utf8)
    #expect(Reading.outcomes([padded[...]]) == ["400"])
  }
}
