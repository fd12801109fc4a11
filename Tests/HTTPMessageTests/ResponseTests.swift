import HTTPMessage
import Testing

@Suite("Responses are encoded", .timeLimit(.minutes(2)))
struct ResponseTests {
  static let date = HTTPDate.field(secondsSince1970: 784_111_777)

  @Test func `with their fields, date and content`() {
    var bytes: [UInt8] = []
    Response(.ok, fields: [("X-A", "b")], body: "hello").encode(into: &bytes, date: Self.date, connection: .close)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nX-A: b\r\n"
        + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\nhello")
  }

  @Test func `a field value cannot write fields of its own`() {
    var bytes: [UInt8] = []
    Response(.ok, fields: [("X-A", "b\r\nX-Evil: c")], body: "").encode(into: &bytes, date: Self.date, connection: nil)
    #expect(String(decoding: bytes, as: UTF8.self).contains("X-A: b  X-Evil: c\r\n"))
  }

  @Test func `HEAD is answered with the fields alone`() {
    var bytes: [UInt8] = []
    Response(.ok, body: "hello").encode(into: &bytes, date: Self.date, connection: nil, withoutBody: true)
    #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("GMT\r\n\r\n"))
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
    (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func `dates are IMF-fixdates`(seconds: Int, text: String) {
    #expect(String(decoding: HTTPDate.bytes(secondsSince1970: seconds), as: UTF8.self) == text)
  }
}
