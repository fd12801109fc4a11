/// A delivery as a proxy passes it on: 11 fields and the body of the first vector.
enum Delivery {
  static let secret = "dyn_5LqRXtZsXit7Cjt9KktC8EGywoSkGSbGqtTud[S7AYd{LUTMcS38QRMT"
  static let signature = Array("sha256=e7ef1daf8d57e3c0506d1f2522d871fd416d9eac7aa679cd4f22867705f12628".utf8)

  static let body = Array(
    """
    {"messageId":"11111111-1111-4111-8111-111111111111","eventId":"22222222-2222-4222-8222-222222222222",\
    "eventName":"user.session.revoked","timestamp":"2026-10-01T09:00:00.348Z",\
    "webhookId":"33333333-3333-4333-8333-333333333333","userId":"44444444-4444-4444-8444-444444444444",\
    "environmentId":"55555555-5555-4555-8555-555555555555","environmentName":"live",\
    "data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10","createdAt":"2026-09-30T08:14:03.117Z",\
    "ipAddress":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64)","revokedAt":"2026-10-01T09:00:00.301Z"}}
    """.utf8)

  static let head = head(framing: "Content-Length: \(body.count)")

  static let chunked =
    head(framing: "Transfer-Encoding: chunked") + "\(String(body.count, radix: 16))\r\n".utf8 + body
    + "\r\n0\r\n\r\n".utf8

  private static func head(framing: String) -> [UInt8] {
    Array(
      """
      POST /webhooks/dynamic HTTP/1.1\r\nHost: hooks.example.com\r\nX-Real-IP: 198.51.100.7\r\n\
      X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n\(framing)\r\n\
      Accept: application/json, text/plain, */*\r\nContent-Type: application/json\r\nUser-Agent: axios/1.7.9\r\n\
      Accept-Encoding: gzip, compress, deflate, br\r\n\
      x-dynamic-signature-256: \(String(decoding: signature, as: UTF8.self))\r\n\
      Connection: keep-alive\r\n\r\n
      """.utf8)
  }
}
