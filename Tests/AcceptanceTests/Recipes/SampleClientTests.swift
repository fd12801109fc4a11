import Foundation
import HTTPMessage
import HTTPServer
import TestSupport
import Testing

@Suite("Config's sample client of the feed", .timeLimit(.minutes(5)))
struct SampleClientTests {
  private let never = UUID().uuidString.lowercased()

  private func revoke(on server: RunningServer) throws -> String {
    let session = UUID().uuidString.lowercased()
    let event = DeliveryTests.event(session: session)
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    return session
  }

  @Test(
    "it has what was revoked before, then what is revoked meanwhile, across a restart and a store that was replaced")
  func follows() throws {
    let port = try ReservedPort()
    let token = ForwardAuthRecipeTests.token
    let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)", "REVOKED_PRIVATE_TOKEN": token]
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder, environment: environment)
    let first = try revoke(on: server)
    let client = try SampleClient(server.privateAddress, maxAge: 3600, token: token)
    // Its first answer waits until all is read.
    #expect(try !client.refuses(never))
    #expect(try client.refuses(first))
    // As forward-auth does with what is no session id.
    for malformed in ["", "x", never.uppercased(), never + "0"] { #expect(try client.refuses(malformed)) }
    #expect(client.errors.text == "")
    let second = try revoke(on: server)
    #expect(try eventually { try client.refuses(second) })

    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect(try client.refuses(first) && client.refuses(second) && !client.refuses(never))
    let restarted = try RunningServer(in: folder, environment: environment)
    let third = try revoke(on: restarted)
    #expect(try eventually { try client.refuses(third) })

    restarted.signal(SIGKILL)
    #expect(restarted.exit() == SIGKILL)
    // Its cursors are of another history from here on.
    let other = try RunningServer(in: TemporaryFolder(), environment: environment)
    let fourth = try revoke(on: other)
    #expect(try eventually { try client.refuses(fourth) })
    #expect(try client.refuses(first) && client.refuses(third) && !client.refuses(never))
  }

  @Test("it knows at once that an empty store has nobody")
  func emptyStore() throws {
    let start = ContinuousClock.now
    let server = try RunningServer(in: TemporaryFolder())
    let client = try SampleClient(server.privateAddress, maxAge: 3600)
    #expect(try !client.refuses(never))
    // Far less than it waits for news.
    #expect(start.duration(to: .now) < .seconds(15))
    let session = try revoke(on: server)
    #expect(try eventually { try client.refuses(session) })
  }

  @Test("it refuses what was issued before a cut-off of its user or environment")
  func cutOffs() throws {
    let token = ForwardAuthRecipeTests.token
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": token])
    let client = try SampleClient(server.privateAddress, maxAge: 3600, token: token)
    let id = UUID().uuidString.lowercased()
    let now = Int(Date().timeIntervalSince1970)
    let claims = { (claim: String, issued: String) in #"{"sid":"\#(never)","\#(claim)":"\#(id)"\#(issued)}"# }
    for (claim, member) in [("sub", "userId"), ("environment_id", "environmentId")] {
      #expect(try !client.refuses(claims(claim, #","iat":\#(now - 60)"#)))
      let body = #"{"\#(member)":"\#(id)"}"#
      let answer = try server.answer(
        to: "POST /v1/revocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Revoked-Token: \(token)\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)", on: server.privateAddress)
      #expect(answer.status == 200)
      #expect(try eventually { try client.refuses(claims(claim, #","iat":\#(now - 60)"#)) })
      for issued in ["", #","iat":null"#, #","iat":"\#(now)""#, #","iat":\#(now + 7200)"#] {
        #expect(try client.refuses(claims(claim, issued)), "\(issued)")
      }
      #expect(try !client.refuses(claims(claim, #","iat":\#(now + 50)"#)))
      #expect(try !client.refuses(claims("other", #","iat":\#(now - 60)"#)))
    }
  }

  @Test("it takes no answer for whole that has no last line, whatever its length says")
  func cutAnswer() throws {
    let entry =
      #"{"cursor":"00000001-1","sessionId":"\#(never)","revokedAt":"2026-01-01T00:00:00.000Z","expiresAt":"2126-01-01T00:00:00.000Z"}"#
    let other = UUID().uuidString.lowercased()
    for text in ["", entry + "\n", entry] {
      let feed = try HTTPServer(
        listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "feed")
      feed.start { _ in Fixed(text) }
      let client = try SampleClient(feed.address, maxAge: 3600)
      #expect(try client.refuses(other))
      #expect(try client.refuses(never))
      #expect(client.errors.wait { $0 == "the feed cannot be read: the answer was cut\n" })
      feed.abort()
    }
  }

  /// Answers every request with the same text.
  private final class Fixed: Responder {
    private let text: String

    init(_ text: String) {
      self.text = text
    }

    func earlyResponse(to head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? { nil }

    func respond(
      to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange
    ) -> Reply {
      .now(Response(.ok, contentType: "application/x-ndjson", body: text))
    }

    func roundEnded() {}
  }

  @Test("it says why it cannot read, once, and refuses everybody", arguments: [nil, "another-token"])
  func saysWhy(token: String?) throws {
    let server = try RunningServer(
      in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": ForwardAuthRecipeTests.token])
    let client = try SampleClient(server.privateAddress, maxAge: 3600, token: token)
    #expect(try client.refuses(never))
    #expect(client.errors.wait { $0 == "the feed cannot be read: HTTP Error 401: Unauthorized\n" })
  }

  @Test("it refuses everybody once it has heard nothing for as long as it was told, and recovers")
  func failsClosed() throws {
    let port = try ReservedPort()
    let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)"]
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder, environment: environment)
    let client = try SampleClient(server.privateAddress, maxAge: 3)
    #expect(try eventually { try !client.refuses(never) })
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect(try eventually { try client.refuses(never) })
    let restarted = try RunningServer(in: folder, environment: environment)
    #expect(try eventually { try !client.refuses(never) })
    #expect(client.errors.text.contains("the feed cannot be read: "))
    #expect(client.errors.wait { $0.hasSuffix("the feed is read again\n") })
    #expect(restarted.processIdentifier != server.processIdentifier)
  }
}
