import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("The command send", .timeLimit(.minutes(5)))
struct SendCommandTests {
  @Test(arguments: [
    ("user.session.revoked", "accepted"), ("admin.user.session.revoked", "accepted"), ("ping", "pong"),
  ])
  func `send posts an event of each kind, and prints what it got`(event: String, status: String) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let session = event == "ping" ? [] : ["--session", DeliveryTests.session]
    let url = server.address.url + "/webhooks/dynamic"
    let result = try Executable.run(["send", event, "--url", url] + session)
    #expect(result.status == 0)
    #expect(result.output.contains(#"200 {"status":"\#(status)"} ("#))
    #expect(result.errors == "")
    let by = event == "user.session.revoked" ? "user" : "admin"
    let lookUp = try server.get("/v1/sessions/\(DeliveryTests.session)").body
    #expect(lookUp.contains(event == "ping" ? #""revoked":false"# : #""by":"\#(by)""#))
  }

  @Test func `send finds the receiver by the configuration`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PATH": "/hooks"])
    let result = try Executable.run("send", "--listen", "\(server.address)", "--set", "path=/hooks")
    #expect(result.status == 0)
    #expect(result.output.contains(#"{"status":"accepted"}"#))
  }

  @Test func `send with a count sends so many events and sums up`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let result = try Executable.run(
      "send", "--count", "50", "--concurrency", "4", "--url", server.address.url + "/webhooks/dynamic")
    #expect(result.status == 0)
    #expect(result.output.contains("50 sent in "))
    #expect(result.output.contains(#"50 × 200 {"status":"accepted"}"#))
    #expect(result.output.contains("p50 ") && result.output.contains("p99 "))
    #expect(result.errors == "")
    #expect(try server.metric("revoked_sessions_revoked") == 50)
  }

  @Test(arguments: ["unix", "unix by url", "[::1]:0"])
  func `send reaches a unix socket and an IPv6 address`(place: String) throws {
    let folder = try TemporaryFolder()
    let socket = "unix:\(folder.path)/public.sock"
    let server = try RunningServer(
      in: folder, environment: ["REVOKED_LISTEN": place.hasPrefix("unix") ? socket : place])
    let target =
      place == "unix"
      ? ["--listen", socket] : ["--url", place == "unix by url" ? socket : server.address.url + "/webhooks/dynamic"]
    let result = try Executable.run(["send", "--session", DeliveryTests.session] + target)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains(#"{"status":"accepted"}"#))
  }

  @Test
  func `send says which random session it revokes before it does, and its events are of no webhook at Dynamic`() throws
  {
    let server = try RunningServer(in: TemporaryFolder())
    let result = try Executable.run("send", "--url", server.address.url + "/webhooks/dynamic")
    let lines = result.output.split(separator: "\n")
    let session = try #require(lines.first?.split(separator: " ").last)
    #expect(lines.first == "no --session: revoking a random one, \(session)")
    #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#))
    let shown = try Executable.run("events", "show", "1", "--data", server.folder.data)
    #expect(shown.output.contains("00000000-0000-0000-0000-000000000000"))
  }

  @Test(arguments: [["--count", "1"], ["--count", "2"]])
  func `What a receiver answers reaches the terminal escaped, and cannot fill it`(count: [String]) throws {
    let evil = "\u{1b}]52;c;ZXZpbA==\u{7}\u{202e}\u{2028}\u{9b}2J" + String(repeating: "x", count: 100_000)
    let application = try Application(answer: evil)
    let result = try Executable.run(["send", "--url", application.address.url] + count)
    #expect(result.status == 0)
    #expect(result.output.contains(#"200 \u{1b}]52;c;ZXZpbA==\u{7}\u{202e}\u{2028}\u{9b}2J"#))
    #expect(
      !result.output.unicodeScalars.contains {
        $0 != "\n" && ($0.value < 0x20 || [0x9b, 0x202e, 0x2028].contains($0.value))
      })
    #expect(result.output.utf8.count < 10_000)
  }

  @Test func `send posts a file's exact bytes, which a second time are a duplicate`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let file = try server.folder.write(Vector.sessionRevoked.text, to: "body.json")
    for status in ["accepted", "duplicate"] {
      let result = try Executable.run("send", "--body", file, "--url", server.address.url + "/webhooks/dynamic")
      #expect(result.status == 0)
      #expect(result.output.contains(#"{"status":"\#(status)"}"#))
    }
    #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
  }

  @Test(arguments: [["--count", "1"], ["--count", "3"]])
  func `send with another secret is refused, and says so`(count: [String]) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let result = try Executable.run(
      ["send", "--url", server.address.url + "/webhooks/dynamic"] + count,
      environment: ["DYNAMIC_WEBHOOK_SECRET": "another-secret-of-24-byt"])
    #expect(result.status == 1)
    #expect(result.output.contains("401 "))
    #expect(try server.metric("revoked_sessions_revoked") == 0)
  }

  @Test(arguments: [["--count", "1"], ["--count", "3"]])
  func `send to where nobody listens is told apart`(count: [String]) throws {
    let port = try ReservedPort()
    let result = try Executable.run(["send", "--url", "http://127.0.0.1:\(port.number)/webhooks/dynamic"] + count)
    #expect(result.status == 69)
    #expect(result.errors.hasPrefix("revoked: "))
    #expect(result.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test(arguments: [
    (["user.session.revokt"], 64), (["--session", "x"], 64), (["--count", "0"], 64), (["--concurrency", "0"], 64),
    (["--url", "ftp://example.com/"], 64), (["--listen", "127.0.0.1:0"], 64), (["--url", "unix:"], 64),
    (["--cacert", "/nowhere/ca.pem"], 78),
    (["--body", "/nowhere/body.json"], 74),
  ])
  func `send refuses what it cannot send`(arguments: [String], status: Int) throws {
    let result = try Executable.run(["send"] + arguments)
    #expect(result.status == Int32(status))
    #expect(result.output == "")
    #expect(result.errors != "")
  }
}
