import Foundation
import Receiver
import TestSupport
import Testing

@Suite("Checking many sessions at once", .timeLimit(.minutes(2)))
struct SessionCheckTests {
  static let ids = (0..<1001).map { number in
    let digits = String(number, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  static func body(_ ids: some Sequence<String>) -> String {
    #"{"sessionIds":[\#(ids.map { "\"\($0)\"" }.joined(separator: ","))]}"#
  }

  @Test func `names those that are revoked, in the order asked`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let ids = Self.ids
    for index in [1, 3, 4, 999] { try served.revoke(ids[index]) }
    let cases: [([Int], [Int])] = [
      ([], []), ([0], []), ([1], [1]), ([4, 0, 3, 2, 1], [4, 3, 1]), ([1, 1, 0, 1], [1, 1, 1]),
      (Array(0..<1000), [1, 3, 4, 999]),
    ]
    for (asked, revoked) in cases {
      let answer = try served.ask("POST", "/v1/sessions/check", body: Self.body(asked.map { ids[$0] }))
      #expect(answer.status == 200)
      #expect(answer.field("X-Revoked-Last-Event") != nil)
      #expect(answer.field("Content-Type") == "application/json")
      let list = revoked.map { "\"\(ids[$0])\"" }.joined(separator: ",")
      #expect(answer.content == #"{"revoked":[\#(list)]}"#)
    }
    let page = try served.ask("GET", "/metrics")
    #expect(page.contains("revoked_lookups_total{result=\"revoked\"} 11\n"))
    #expect(page.contains("revoked_lookups_total{result=\"not_revoked\"} 1000\n"))
    await served.receiver.stop()
  }

  @Test func `a large check, small ones and single look-ups take turns on one connection`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let revoked = Self.ids[999]
    try served.revoke(revoked)
    let check = { (ids: ArraySlice<String>) in
      let body = Self.body(ids)
      return "POST /v1/sessions/check HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
    let one = "GET /v1/sessions/\(revoked) HTTP/1.1\r\nHost: a\r\n"
    let (large, small) = (check(Self.ids[..<1000]), check(Self.ids[999...999]))
    let client = try Client(served.receiver.privateAddress)
    client.send(large + one + "\r\n" + small + large + large + one + "Connection: close\r\n\r\n")
    let contents = client.read().components(separatedBy: "HTTP/1.1 ").dropFirst().map(\.content)
    let (list, single) = (#"{"revoked":["\#(revoked)"]}"#, #"{"sessionId":"\#(revoked)","revoked":true,"#)
    try #require(contents.count == 6)
    for index in [0, 2, 3, 4] { #expect(contents[index] == list) }
    for index in [1, 5] { #expect(contents[index].hasPrefix(single)) }
    await served.receiver.stop()
  }

  @Test func `answers in the spelling of the question`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let (revoked, living) = (Self.ids[10], Self.ids[11])
    try served.revoke(revoked)
    let asked = [living.uppercased(), revoked.uppercased(), living, revoked]
    let answer = try served.ask("POST", "/v1/sessions/check", body: Self.body(asked))
    #expect(answer.content == #"{"revoked":["\#(revoked.uppercased())","\#(revoked)"]}"#)
    await served.receiver.stop()
  }

  static let malformed = [
    "", "{}", "[]", "null", #""x""#, #"{"sessionIds":null}"#, #"{"sessionIds":{}}"#, #"{"sessionIds":"\#(ids[0])"}"#,
    #"{"sessionIds":[null]}"#, #"{"sessionIds":[1]}"#, #"{"sessionIds":[""]}"#, #"{"sessionIds":["x"]}"#,
    #"{"sessionIds":["\#(ids[10])0"]}"#, #"{"sessionIds":[["\#(ids[0])"]]}"#,
    #"{"sessionIds":["\#(ids[0])",]}"#, #"{"sessionIds":["\#(ids[0])"}"#, #"{"sessionIds":["\#(ids[0])"]"#,
    #"{"sessionIds":["\#(ids[0])"]}{}"#, #"{"sessionIds":[],"sessionIds":["\#(ids[0])"]}"#,
    #"{"sessionIds":[],"wait":1}"#, #"{"SessionIds":[]}"#, #"{"sessionIDs":[]}"#, "sessionIds=\(ids[0])",
    body(ids), "\u{feff}" + body([]),
  ]

  @Test func `refuses what it cannot read whole`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    for body in Self.malformed {
      let answer = try served.ask("POST", "/v1/sessions/check", body: body)
      #expect(answer.status == 400, "\(body.prefix(60))")
      #expect(answer.field("Content-Type") == "application/problem+json")
      #expect(try JSONSerialization.jsonObject(with: Data(answer.content.utf8)) is [String: Any])
      #expect(!answer.contains(Self.ids[0]))
    }
    let escaped = Self.body([Self.ids[0].replacing("-", with: "\\u002d")])
    #expect(try served.ask("POST", "/v1/sessions/check", body: " \(escaped)\r\n").status == 200)
    for method in ["GET", "HEAD", "PUT"] {
      let answer = try served.ask(method, "/v1/sessions/check", body: Self.body([]))
      #expect(answer.status == 405)
      #expect(answer.field("Allow") == "POST")
    }
    await served.receiver.stop()
  }
}
