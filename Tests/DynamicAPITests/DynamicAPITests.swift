import DynamicEvents
import Foundation
import Signature
import Synchronization
import TestSupport
import Testing

@testable import DynamicAPI

/// An environment at a stand-in, and what was asked of it.
private final class StandIn: Sendable {
  static let token = "dyn_an-api-token-of-some-length"
  static let environment = "11111111-2222-4333-8444-555555555555"

  private final class Log: Sendable {
    let requests = Mutex<[StandInRequest]>([])
    let pauses = Mutex<[Duration]>([])
  }

  private let log: Log
  private let server: StandInServer

  init(_ answer: @escaping @Sendable (_ request: StandInRequest, _ number: Int) -> StandInResponse) throws {
    let log = Log()
    self.log = log
    server = try StandInServer { request in
      let number = log.requests.withLock { requests in
        requests.append(request)
        return requests.count
      }
      return answer(request, number)
    }
  }

  deinit { server.stop() }

  var pauses: [Duration] { log.pauses.withLock { $0 } }
  var seen: [StandInRequest] { log.requests.withLock { $0 } }

  func api() throws -> DynamicAPI {
    var access = DynamicAPI.Access(token: try Secret(Self.token), environment: Self.environment)
    access.url = server.url + "/api/v0"
    // A clock that stands still: how long the tests take must not matter.
    let start = ContinuousClock.now
    return DynamicAPI(
      access, sleep: { [log] pause in log.pauses.withLock { $0.append(pause) } }, random: { 1 }, now: { start })
  }
}

private let message = #"{"messageId":"m1","eventId":"e1","createdAt":"2026-11-01T00:00:00.000Z","status":"failed""#

@Suite("Dynamic's API", .timeLimit(.minutes(1)))
struct DynamicAPITests {
  @Test func `Every call carries the token and names the environment`() async throws {
    let standIn = try StandIn { _, _ in StandInResponse(200, #"{"data":[]}"#) }
    #expect(try await standIn.api().webhooks().isEmpty)
    let request = try #require(standIn.seen.first)
    #expect(request.path == "/api/v0/environments/\(StandIn.environment)/webhooks")
    #expect(request.fields["authorization"] == "Bearer \(StandIn.token)")
  }

  @Test(
    arguments: [
      // Each way in which a list may end, after pages of one webhook each.
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":"1"}"#, #"{"data":[]}"#], found: ["a"]),
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":"1"}"#, #"{"data":[{"webhookId":"b"}]}"#], found: ["a", "b"]),
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":null}"#], found: ["a"]),
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":""}"#], found: ["a"]),
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":"1"}"#, #"{}"#], found: ["a"]),
      (pages: [#"{"data":[{"webhookId":"a"}],"cursor":"1"}"#, #"{"data":null}"#], found: ["a"]),
      // A loop of cursors, and one that a page was read by already.
      (
        pages: [
          #"{"data":[{"webhookId":"a"}],"cursor":"1"}"#, #"{"data":[{"webhookId":"b"}],"cursor":"2"}"#,
          #"{"data":[{"webhookId":"c"}],"cursor":"1"}"#,
        ], found: ["a", "b", "c"]
      ),
      // The same item again, since the pages shifted, and one without an id.
      (
        pages: [
          #"{"data":[{"webhookId":"a"},{}],"cursor":"1"}"#, #"{"data":[{"webhookId":"a"},{"webhookId":"b"}]}"#,
        ], found: ["a", "b"]
      ),
    ])
  func `A list ends however it may end`(pages: [String], found: [String]) async throws {
    let standIn = try StandIn { request, number in StandInResponse(200, pages[min(number, pages.count) - 1]) }
    #expect(try await standIn.api().webhooks().map(\.id) == found)
    #expect(standIn.seen.count == pages.count)
    #expect(standIn.seen.dropFirst().allSatisfy { $0.query["cursor"] != nil })
  }

  @Test(arguments: [
    "<html>busy</html>", "[]", #"{"data":7}"#, #"{"data":{"webhookId":"a"}}"#, #"{"data":[{"webhookId":"a"}"#,
    #"{"error":"busy"}"#, #"{"error":{"code":"x"},"cursor":"1"}"#,
  ])
  func `A page that is not understood is no empty list`(body: String) async throws {
    let standIn = try StandIn { _, _ in StandInResponse(200, body) }
    await #expect(throws: APIError.self) { _ = try await standIn.api().webhooks() }
  }

  @Test(arguments: [
    (body: #"{"error":"no such token"}"#, reason: "no such token" as String?),
    (body: #"{"error":{"code":"x","message":"not yours"},"payload":{}}"#, reason: "not yours"),
    (body: #"{"error":{"code":"x"}}"#, reason: "x"),
    (body: #"{"message":"slow down","code":429}"#, reason: "slow down"),
    (body: "<html>", reason: nil), (body: "", reason: nil), (body: #"{"error":7}"#, reason: nil),
    (body: #"{"error":"a\u001b[2Jb\n"}"#, reason: "a?[2Jb?"),
  ])
  func `An error says what its body says, in whatever form`(body: String, reason: String?) async throws {
    let standIn = try StandIn { _, _ in StandInResponse(403, body) }
    do {
      _ = try await standIn.api().webhooks()
      Issue.record("no error")
    } catch {
      guard case APIError.rejected(status: 403, reason: let found) = error else { throw error }
      #expect(found == reason)
    }
    #expect(standIn.seen.count == 1)
  }

  @Test func `Limits and failures are waited for, as long as the API asks`() async throws {
    let standIn = try StandIn { _, number in
      switch number {
      case 1: StandInResponse(429, "<html>", fields: ["Retry-After: 7"])
      case 2: StandInResponse(503, "")
      case 3: StandInResponse(raw: "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{")
      default: StandInResponse(200, #"{"data":[{"webhookId":"a"}]}"#)
      }
    }
    #expect(try await standIn.api().webhooks().map(\.id) == ["a"])
    #expect(standIn.pauses == [.seconds(7), .seconds(1), .seconds(2)])
  }

  @Test
  func `An API that never recovers is given up after four tries, and a pause beyond a minute is left to the caller`()
    async throws
  {
    let broken = try StandIn { _, _ in StandInResponse(500, "") }
    await #expect(throws: APIError.self) { _ = try await broken.api().webhooks() }
    #expect(broken.seen.count == 4)
    let limited = try StandIn { _, _ in StandInResponse(429, "", fields: ["Retry-After: 3600"]) }
    await #expect(throws: APIError.self) { _ = try await limited.api().webhooks() }
    #expect(limited.seen.count == 1)
  }

  @Test func `What could happen twice is not asked for twice, unless that does no harm`() async throws {
    let standIn = try StandIn { _, _ in StandInResponse(500, "") }
    let api = try standIn.api()
    await #expect(throws: APIError.self) {
      _ = try await api.createWebhook(url: "https://a.example/w", events: ["ping"])
    }
    #expect(standIn.seen.count == 1)
    await #expect(throws: APIError.self) { try await api.redeliver("m", of: "w") }
    #expect(standIn.seen.count == 2)
    await #expect(throws: APIError.self) { try await api.revokeSessions(ofUser: "u") }
    #expect(standIn.seen.count == 6)
  }

  @Test func `A response beyond a mebibyte is no response`() async throws {
    let standIn = try StandIn { _, _ in StandInResponse(200, String(repeating: " ", count: 10 << 20)) }
    await #expect(throws: APIError.self) { _ = try await standIn.api().webhooks() }
  }

  @Test(arguments: [
    // The body and the fields as texts, parsed, and all of it as one text.
    message + #","request":{"body":"{\"a\": \"b\"}","headers":"{\"X-Dynamic-Signature-256\":\"sha256=1\"}"}}"#,
    message + #","request":{"body":{"a": "b"} , "headers":{"x-dynamic-signature-256":["sha256=1"]}}}"#,
    message
      + #","request":"{\"body\":\"{\\\"a\\\": \\\"b\\\"}\",\"headers\":{\"x-dynamic-signature-256\":\"sha256=1\"}}"}"#,
  ])
  func `The body of a message and its signature are found in each form of a record`(record: String) throws {
    let message = try #require(JSONValue(Array(record.utf8)).flatMap(WebhookMessage.init))
    let body = try #require(message.body)
    // As a text it is what was sent. Parsed, it is written again without white space.
    #expect([#"{"a": "b"}"#, #"{"a":"b"}"#].contains(String(decoding: body, as: UTF8.self)))
    #expect(message.signature == "sha256=1")
    #expect(!message.wasDelivered)
  }

  @Test(arguments: [
    (text: #""status":"success""#, isDelivered: true), (text: #""status":"failed""#, isDelivered: false),
    (text: #""status":"failed","response":{"status":200}"#, isDelivered: true),
    (text: #""status":"success","response":"{\"status\":500}""#, isDelivered: false),
    (text: #""status":7"#, isDelivered: false), (text: #""response":null"#, isDelivered: false),
  ])
  func `A message was delivered if the endpoint said so`(text: String, isDelivered: Bool) throws {
    let message = try #require(JSONValue(Array((#"{"messageId":"m","# + text + "}").utf8)).flatMap(WebhookMessage.init))
    #expect(message.wasDelivered == isDelivered)
  }

  @Test func `A listed event keeps its bytes, but for the white space between them`() throws {
    let text = #"{ "eventId" : "e", "eventName":"user.session.revoked", "data": {"id":"a \"b\" \\"} }"#
    let event = try #require(JSONValue(Array(text.utf8)).flatMap(ListedEvent.init))
    #expect(
      String(decoding: event.body, as: UTF8.self)
        == #"{"eventId":"e","eventName":"user.session.revoked","data":{"id":"a \"b\" \\"}}"#)
  }

  @Test func `An id is one segment of the path, whatever it holds`() async throws {
    let standIn = try StandIn { _, _ in StandInResponse(404, "") }
    await #expect(throws: APIError.self) { _ = try await standIn.api().webhook("../a?b=c") }
    #expect(try #require(standIn.seen.first).query.isEmpty)
  }

  @Test(arguments: [
    (says: "bad", shown: "bad"), (says: "no \(StandIn.token) here", shown: "no (the token) here"),
    (
      says: String(repeating: "x", count: 190) + StandIn.token,
      shown: String(repeating: "x", count: 190) + "(the token"
    ),
  ])
  func `A token that the API does not know is named in plain words, and never shown`(
    says: String, shown: String
  ) async throws {
    let standIn = try StandIn { _, _ in StandInResponse(401, #"{"error":"\#(says)"}"#) }
    do {
      _ = try await standIn.api().webhooks()
      Issue.record("no error")
    } catch {
      #expect("\(error)" == "Dynamic does not accept the API token (401): \(shown)")
    }
  }

  @Test func `Where there is nobody the error says so`() async throws {
    let standIn = try StandIn { _, _ in StandInResponse(200, "") }
    var access = DynamicAPI.Access(token: try Secret(StandIn.token), environment: StandIn.environment)
    access.url = "http://127.0.0.1:1"
    let api = DynamicAPI(access, sleep: { _ in }, random: { 1 })
    do {
      _ = try await api.webhooks()
      Issue.record("no error")
    } catch {
      guard case APIError.unreachable(_, mayHaveArrived: false) = error else { throw error }
    }
    withExtendedLifetime(standIn) {}
  }

  @Test(arguments: [
    (url: "https://hooks.example.com/webhooks/dynamic", says: nil as String?), ("https://a-b.example.io", nil),
    ("https://hooks.example.com/?a=b", nil), ("https://1.example.technology/A", nil),
    ("http://hooks.example.com/", "https://"), ("https:///a", "no host"), ("https://u:p@example.com/", "a user"),
    ("https://example.com:443/", "a port"), ("https://127.0.0.1/", "an address"), ("https://[::1]/", "an address"),
    ("https://localhost/a", "localhost"), ("https://Hooks.example.com/", "hooks.example.com"),
    ("https://example.c/", "ends in .c"), ("https://example.abcdefghijk/", "ends in .abcdefghijk"),
    ("https://example.com?a=b", "no path"), ("https://example.com#a", "no path"), ("https://a_b.example.com/", "a-z"),
    ("https://a..example.com/", "a-z"), ("https://-a.example.com/", "a-z"), ("https://a.example.com/ b", "a space"),
    ("https://é.example.com/", "percent-encoded"), ("https://a.example.com./", "ends in ."),
  ])
  func `A URL that Dynamic refuses is refused with the reason`(url: String, says: String?) throws {
    let objection = WebhookURL.objection(to: url)
    // The pattern of Dynamic's own description.
    let pattern = try Regex(#"^(https:\/\/)[a-z0-9]+([-.]+[a-z0-9]+)*\.[a-z]{2,10}(\/.*)?$"#)
    #expect((objection == nil) == (says == nil))
    if says == nil { #expect(url.contains(pattern)) }
    if let says { #expect(objection?.contains(says) == true, "\(objection ?? "none")") }
  }
}
