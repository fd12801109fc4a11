import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Cut-offs by command", .timeLimit(.minutes(5)))
struct CutOffCommandTests {
  static let user = "44444444-4444-4444-8444-444444444444"
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let session = "00112233-4455-6677-8899-aabbccddeeff"

  /// Unsigned: nothing is verified here.
  static func bearer(user: String = user, issuedAt: Int, sid: String = session) -> String {
    let payload = """
      {"sid":"\(sid)","sub":"\(user)","environment_id":"\(environment)","iat":\(issuedAt),"exp":4102444800}
      """
    return "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.\(SigningKey.base64URL(Array(payload.utf8))).c2ln\r\n"
  }

  /// The status of the answer to a request over a connection of its own.
  static func status(
    _ line: String, _ fields: String, _ body: String = "", at address: ListenAddress
  ) throws -> Int? {
    let client = try Client(address)
    client.send(
      "\(line) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    return Answer(client.read())?.status
  }

  static var now: Int { Int(Date().timeIntervalSince1970) }

  func run(_ arguments: String..., folder: TemporaryFolder) throws -> Executable.Result {
    try Executable.run(
      ["revoke"] + arguments, environment: ["REVOKED_DATA": folder.data, "DYNAMIC_ENVIRONMENT_ID": Self.environment])
  }

  @Test
  func `a user, the environment and a session are refused when the command returns, and after kill -9 right behind it`()
    throws
  {
    let folder = try TemporaryFolder()
    var server = try RunningServer(in: folder)
    let other = "66666666-6666-4666-8666-666666666666"
    let sid = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let old = Self.now - 5
    let cases: [([String], String, String)] = [
      (["user", Self.user], Self.bearer(issuedAt: old), "cut-off"),
      (["session", sid], Self.bearer(user: other, issuedAt: Self.now + 30, sid: sid), "revoked"),
      (["environment", "--yes"], Self.bearer(user: other, issuedAt: old), "cut-off"),
    ]
    for (arguments, refused, reason) in cases {
      #expect(try server.get("/v1/forward-auth", fields: refused).status == 200)
      let result = try Executable.run(
        ["revoke"] + arguments, environment: ["REVOKED_DATA": folder.data, "DYNAMIC_ENVIRONMENT_ID": Self.environment])
      #expect(result.status == 0 && result.output.hasSuffix("refused here from now on\n"), "\(result)")
      for _ in 0..<2 {
        let answer = try server.get("/v1/forward-auth", fields: refused)
        #expect(answer.status == 401 && answer.head.contains("X-Revoked-Reason: \(reason)"), "\(arguments)")
        #expect(try server.get("/v1/forward-auth", fields: Self.bearer(issuedAt: Self.now + 30)).status == 200)
        server.signal(SIGKILL)
        #expect(server.exit() == SIGKILL)
        server = try RunningServer(in: folder)
      }
    }
  }

  @Test func `under load no token from before passes once the command has returned`() async throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    let old = Self.bearer(issuedAt: Self.now - 5)
    let isStopped = Flag()
    let (address, privateAddress) = (server.address, server.privateAddress)
    let loads = (0..<3).map { index in
      Task.detached {
        var passed = 0
        while !isStopped.isSet {
          if index == 0 {
            // Commits of the server's own in between.
            let event = DeliveryTests.event(session: UUID().uuidString.lowercased())
            _ = try Self.status(
              "POST /webhooks/dynamic", "x-dynamic-signature-256: \(DeliveryTests.sign(event))\r\n", event, at: address)
          } else if try Self.status("GET /v1/forward-auth", old, at: privateAddress) == 200 {
            passed += 1
          }
        }
        return passed
      }
    }
    for index in 0..<10 {
      let user = "44444444-4444-4444-8444-44444444444\(index)"
      let token = Self.bearer(user: user, issuedAt: Self.now - 1)
      #expect(try server.get("/v1/forward-auth", fields: token).status == 200)
      #expect(try run("user", user, folder: folder).status == 0)
      for _ in 0..<20 { #expect(try server.get("/v1/forward-auth", fields: token).status == 401) }
    }
    isStopped.set()
    for load in loads { _ = try await load.value }
  }

  @Test
  func `an order reaches the handlers that ask for it, and the look-ups of a session cannot know of it`() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/events"
    let configuration = try folder.write(
      """
      handlers:
        all: {kind: exec, command: [/bin/sh, -c, "cat >> \(file); echo >> \(file)"], events: ["operator.*"]}
      """, to: "revoked.yaml")
    let server = try RunningServer(in: folder, arguments: ["--config", configuration])
    #expect(try run("user", Self.user, folder: folder).status == 0)
    let isThere = eventually { (try? String(contentsOfFile: file, encoding: .utf8))?.contains("\n") == true }
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(isThere && text.contains(#""eventName":"operator.cutoff""#) && text.contains(Self.user), "\(text)")
    #expect(try server.get("/v1/sessions/\(Self.session)").body.contains(#""revoked":false"#))
  }

  @Test func `what is no id, no store or no consent changes nothing`() throws {
    let folder = try TemporaryFolder()
    #expect(try run("user", Self.user, folder: folder).status == 74)
    _ = try RunningServer(in: folder)
    #expect(try run("user", "x", folder: folder).status == 64)
    #expect(try run("session", folder: folder).status == 64)
    #expect(try run("session", "x", folder: folder).status == 64)
    #expect(try run("environment", folder: folder).status == 64)
    let unknown = try Executable.run(["revoke", "environment", "--yes"], environment: ["REVOKED_DATA": folder.data])
    #expect(unknown.status == 64 && unknown.errors.contains("dynamic.environment-id"))
    #expect(try Executable.run(["events", "list", "--json"], environment: ["REVOKED_DATA": folder.data]).output == "")
  }
}
