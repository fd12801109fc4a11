import Foundation
import Outgoing
import Testing

@testable import DynamicAPI

@Suite("Fuzzing the readers of Dynamic's answers", .timeLimit(.minutes(5)))
struct AnswerFuzzTests {
  static let mutator = Mutator(
    tokens: ([
      "data", "cursor", "webhookId", "eventId", "eventName", "messageId", "request", "response", "body", "headers",
      "status", "error", "message", "code", "X-Dynamic-Signature-256",
    ].map { "\"\($0)\":" } + [
      "null", "true", "[]", "{}", "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u0064", "\\ud800", "200", "1e999", " ",
      "\"a\"", #""{\"body\":\"x\"}""#, "\u{e9}", "e\u{301}", "\u{feff}",
    ]).map { Array($0.utf8) })

  @Test func `Whatever an answer holds, what is read of it another reader finds as well`() {
    FuzzRun.inputs(4_000) { random in
      var body = random.pick(Self.answers)
      if !random.oneIn(8) { Self.mutator.mutate(&body, &random) }
      return (body, AnswerCheck.violation(body))
    }
  }

  @Test func `Whatever Retry-After says, the pause is none or within its bound, and seconds are seconds`() {
    let values = [
      "0", "120", "99999999999999999999", "Sun, 06 Nov 2033 08:49:37 GMT", "Sunday, 06-Nov-33 08:49:37 GMT",
      "Sun Nov  6 08:49:37 2033", "Fri, 31 Dec 9999 23:59:59 GMT",
    ].map { Array($0.utf8) }
    let mutator = Mutator(
      tokens: ["GMT", "UTC", "+0000", "Mon", "February", "29", "31", "0000", "-", ":", ",", "  ", "60", "٣", "\0"].map {
        Array($0.utf8)
      })
    FuzzRun.inputs(1_000) { random in
      var value = random.pick(values)
      if !random.oneIn(16) { mutator.mutate(&value, &random) }
      return (value, RetryAfterCheck.violation(value))
    }
  }

  @Test func `A date in each of the three forms is the pause until then`() {
    let formats = ["EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'", "EEE MMM d HH:mm:ss yyyy"]
    let writer = DateFormatter()
    writer.locale = Locale(identifier: "en_US_POSIX")
    writer.timeZone = TimeZone(secondsFromGMT: 0)
    FuzzRun.inputs(100) { random in
      let now = Date(timeIntervalSince1970: Double(1_700_000_000 + random.below(1_000_000_000)))
      let seconds = 1 + random.below(9_999_999)
      writer.dateFormat = random.pick(formats)
      var text = writer.string(from: now + Double(seconds))
      // asctime fills a day of one digit with a space.
      if writer.dateFormat == formats[2] { text.replace(#/ (\d) /#) { "  \($0.output.1) " } }
      let pause = RetryAfter.pause(text, now: now)
      return (Array(text.utf8), pause == .seconds(seconds) ? nil : "\(String(describing: pause)), not \(seconds) s")
    }
  }

  private static let answers = [
    #"{"cursor":"2","data":[{"webhookId":"w1","url":"https://a.example/x","events":["ping"],"isEnabled":false}]}"#,
    #"{"data":[{"messageId":"m1","status":"failed","request":"{\"body\":\"{\\\"eventId\\\":\\\"e1\\\"}\","#
      + #"\"headers\":{\"x-Dynamic-signature-256\":\"sha256=00\"}}","response":{"status":503}}]}"#,
    #"{"data":[{"messageId":"m1","request":{"body":{"eventId":"e1", "data":{"id":"x"}},"#
      + #""headers":{"X-Dynamic-Signature-256":["sha256=00"]}}}]}"#,
    #"{"data":[{"eventId":"e1","eventName":"user.session.revoked","timestamp":"2026-10-01T09:00:00.348Z","data":{}}]}"#,
    #"{"error":{"code":"x","message":"no such thing"},"payload":{}}"#, #"{"error":"forbidden"}"#, "[]", "null", "",
  ].map { Array($0.utf8) }
}
