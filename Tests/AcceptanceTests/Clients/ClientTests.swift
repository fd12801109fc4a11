import Foundation
import HTTPMessage
import HTTPServer
import Synchronization
import TestSupport
import Testing

@Suite("Config's clients, each in an application of its own", .timeLimit(.minutes(5)))
struct ClientTests {
  private let never = UUID().uuidString.lowercased()
  private let token = ForwardAuthRecipeTests.token

  /// A session of its own, revoked as Dynamic does it.
  private func revoke(on server: RunningServer) throws -> String {
    let session = UUID().uuidString.lowercased()
    let event = DeliveryTests.event(session: session)
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    return session
  }

  @Test(arguments: ClientKind.all)
  func `1: a session that nobody revoked passes, one that was revoked before it started is refused`(kind: ClientKind)
    throws
  {
    let server = try RunningServer(in: TemporaryFolder())
    let revoked = try revoke(on: server)
    let application = try ClientApplication(kind, asks: server.privateAddress)
    #expect(try application.refusal(of: never) == nil)
    #expect(try application.refusal(of: revoked) == "revoked")
    #expect(try #require(application.get(#"{"sid":"\#(never)"}"#).age) < 60)
    #expect(application.log.text == "")
  }

  @Test(arguments: ClientKind.all)
  func `2: an empty store has nobody, and is known at once`(kind: ClientKind) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let start = ContinuousClock.now
    let application = try ClientApplication(kind, asks: server.privateAddress)
    #expect(try application.refusal(of: never) == nil)
    // Less than it waits for news.
    #expect(start.duration(to: .now) < .seconds(20))
  }

  @Test(arguments: ClientKind.all)
  func `3: what is revoked while it runs is refused`(kind: ClientKind) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": token])
    let application = try ClientApplication(kind, asks: server.privateAddress, token: token)
    for _ in 0..<3 {
      let session = try revoke(on: server)
      #expect(try eventually { try application.refusal(of: session) == "revoked" })
    }
    #expect(try application.refusal(of: never) == nil)
  }

  @Test(arguments: ClientKind.all)
  func `4: sid and originalSid count, in either case`(kind: ClientKind) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let revoked = try revoke(on: server)
    let application = try ClientApplication(kind, asks: server.privateAddress)
    #expect(try application.refusal(of: revoked.uppercased()) == "revoked")
    #expect(try application.refusal(of: never.uppercased()) == nil)
    for original in [revoked, revoked.uppercased()] {
      #expect(try application.refusal(claims: #"{"sid":"\#(never)","originalSid":"\#(original)"}"#) == "revoked")
    }
    for other in [#""originalSid":"\#(never)""#, #""originalSid":null"#, #""sub":null,"iat":null"#, #""x":[]"#] {
      #expect(try application.refusal(claims: #"{"sid":"\#(never)",\#(other)}"#) == nil, "\(other)")
    }
  }

  @Test(arguments: ClientKind.all)
  func `5: claims that do not say which session they are of are refused`(kind: ClientKind) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let application = try ClientApplication(kind, asks: server.privateAddress, failsOpen: true)
    for claims in ["null", "{}", #"{"sid":null}"#, #"{"originalSid":"\#(never)"}"#] {
      #expect(try application.refusal(claims: claims) == "no-session", "\(claims)")
    }
    for sid in [
      #""""#, #""x""#, #""\#(never)0""#, #"" \#(never)""#, #""\#(never)\n""#, "1", "true", "[]", #"["\#(never)"]"#,
    ] {
      #expect(try application.refusal(claims: #"{"sid":\#(sid)}"#) == "unreadable", "\(sid)")
      #expect(try application.refusal(claims: #"{"sid":"\#(never)","originalSid":\#(sid)}"#) == "unreadable", "\(sid)")
    }
    for claim in ["sub", "environment_id"] {
      #expect(try application.refusal(claims: #"{"sid":"\#(never)","\#(claim)":1}"#) == "unreadable")
    }
    #expect(application.log.text == "")
  }

  @Test(arguments: ClientKind.all)
  func `6: what was issued before a cut-off of its user or environment is refused`(kind: ClientKind) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": token])
    let application = try ClientApplication(kind, asks: server.privateAddress, token: token)
    let id = UUID().uuidString.lowercased()
    let now = Int(Date().timeIntervalSince1970)
    for (claim, member) in [("sub", "userId"), ("environment_id", "environmentId")] {
      let refusal = { (issued: String, id: String) in
        try application.refusal(claims: #"{"sid":"\#(never)","\#(claim)":"\#(id)"\#(issued)}"#)
      }
      #expect(try refusal(#","iat":\#(now - 60)"#, id) == nil)
      let body = #"{"\#(member)":"\#(id)"}"#
      let answer = try server.answer(
        to: "POST /v1/revocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Revoked-Token: \(token)\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)", on: server.privateAddress)
      #expect(answer.status == 200)
      #expect(try eventually { try refusal(#","iat":\#(now - 60)"#, id) == "cut-off" })
      for issued in ["", #","iat":null"#, #","iat":"\#(now)""#, #","iat":true"#, #","iat":\#(now + 7200)"#] {
        #expect(try refusal(issued, id) == "cut-off", "\(issued)")
      }
      #expect(try refusal(#","iat":\#(now - 60).5"#, id.uppercased()) == "cut-off")
      // Below the skew that is allowed, however long the test took to get here.
      #expect(try refusal(#","iat":\#(Int(Date().timeIntervalSince1970) + 50)"#, id) == nil)
      #expect(try refusal(#","iat":\#(now - 60)"#, never) == nil)
    }
  }

  @Test func `7: it survives a server that is killed and comes back with its store`() async throws {
    try await together(ClientKind.all) { kind in
      let port = try ReservedPort()
      let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)"]
      let folder = try TemporaryFolder()
      let server = try RunningServer(in: folder, environment: environment)
      let first = try revoke(on: server)
      let application = try ClientApplication(kind, asks: server.privateAddress)
      #expect(try application.refusal(of: first) == "revoked")
      server.signal(SIGKILL)
      #expect(server.exit() == SIGKILL)
      #expect(try application.refusal(of: first) == (kind.hasMemory ? "revoked" : "unfit"))
      #expect(try application.refusal(of: never) == (kind.hasMemory ? nil : "unfit"))
      let restarted = try RunningServer(in: folder, environment: environment)
      let second = try revoke(on: restarted)
      #expect(try eventually { try application.refusal(of: second) == "revoked" })
      #expect(try application.refusal(of: first) == "revoked")
      #expect(try application.refusal(of: never) == nil)
    }
  }

  @Test func `8: it survives a backup that was restored`() async throws {
    try await together(ClientKind.all) { kind in
      let port = try ReservedPort()
      let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)"]
      let (folder, restored) = try (TemporaryFolder(), TemporaryFolder())
      let server = try RunningServer(in: folder, environment: environment)
      let first = try revoke(on: server)
      let application = try ClientApplication(kind, asks: server.privateAddress)
      try FileManager.default.createDirectory(atPath: restored.data, withIntermediateDirectories: false)
      #expect(try Executable.run(["backup", "--data", folder.data, restored.database]).status == 0)
      let lost = try revoke(on: server)
      #expect(try eventually { try application.refusal(of: lost) == "revoked" })
      server.signal(SIGKILL)
      #expect(server.exit() == SIGKILL)

      let successor = try RunningServer(in: restored, environment: environment)
      let later = try revoke(on: successor)
      #expect(try eventually { try application.refusal(of: later) == "revoked" })
      #expect(try application.refusal(of: first) == "revoked")
      // Nothing un-revokes what it remembers.
      #expect(try application.refusal(of: lost) == (kind.hasMemory ? "revoked" : nil))
      #expect(try application.refusal(of: never) == nil)
    }
  }

  @Test func `9: without an answer it says why, once, and refuses everybody or nobody as it was told`() async throws {
    try await together(ClientKind.all) { kind in
      let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": token])
      for failsOpen in [false, true] {
        let application = try ClientApplication(
          kind, asks: server.privateAddress, failsOpen: failsOpen, token: failsOpen ? "another-token" : nil)
        for _ in 0..<3 { #expect(try application.refusal(of: never) == (failsOpen ? nil : "unfit")) }
        let text = "revoked cannot be read: "
        #expect(application.log.wait { $0.contains(text) && $0.contains("401") && $0.hasSuffix("\n") })
        #expect(application.log.text.components(separatedBy: text).count == 2, "\(application.log.text)")
      }
    }
  }

  @Test func `10: without news for as long as it was told it refuses everybody or nobody, and recovers`() async throws {
    try await together(ClientKind.all) { kind in
      let port = try ReservedPort()
      let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)"]
      let folder = try TemporaryFolder()
      let server = try RunningServer(in: folder, environment: environment)
      let revoked = try revoke(on: server)
      let closed = try ClientApplication(kind, asks: server.privateAddress, maxAge: 2)
      let open = try ClientApplication(kind, asks: server.privateAddress, maxAge: 2, failsOpen: true)
      // A client that was held up for so long has no news for a moment.
      #expect(try eventually { try closed.refusal(of: never) == nil && open.refusal(of: never) == nil })
      server.signal(SIGKILL)
      #expect(server.exit() == SIGKILL)
      #expect(try eventually { try closed.refusal(of: never) == "unfit" })
      #expect(try eventually { try open.get(#"{"sid":"\#(never)"}"#).age ?? 0 > 2 })
      #expect(try open.refusal(of: never) == nil)
      #expect(try closed.refusal(of: revoked) == (kind.hasMemory ? "revoked" : "unfit"))
      #expect(try open.refusal(of: revoked) == (kind.hasMemory ? "revoked" : nil))
      let restarted = try RunningServer(in: folder, environment: environment)
      let later = try revoke(on: restarted)
      for application in [closed, open] {
        #expect(try eventually { try application.refusal(of: later) == "revoked" })
        #expect(try eventually { try application.refusal(of: never) == nil })
      }
    }
  }

  @Test func `an answer of the feed without its last line is not taken for whole`() async throws {
    try await together(ClientKind.withMemory) { kind in
      let entry =
        #"{"cursor":"00000001-1","sessionId":"\#(never)","revokedAt":"2026-01-01T00:00:00.000Z","#
        + #""expiresAt":"2126-01-01T00:00:00.000Z"}"#
      for text in ["", entry + "\n", String(entry.dropLast())] {
        let feed = try StandInServer { _ in StandInResponse(200, text) }
        defer { feed.stop() }
        let application = try ClientApplication(kind, asks: .tcp(host: "127.0.0.1", port: feed.port))
        #expect(try application.refusal(of: UUID().uuidString.lowercased()) == "unfit")
        // What came is remembered, up to its last whole line.
        if text.hasSuffix("\n") { #expect(try application.refusal(of: never) == "revoked") }
        #expect(application.log.wait { $0.contains("revoked cannot be read: ") })
      }
    }
  }

  @Test(arguments: ClientKind.withoutMemory)
  func `nobody passes by an answer that does not say so`(kind: ClientKind) throws {
    let current = Mutex("")
    let server = try StandInServer { _ in StandInResponse(200, current.withLock { $0 }) }
    defer { server.stop() }
    let application = try ClientApplication(kind, asks: .tcp(host: "127.0.0.1", port: server.port))
    let results = ["[]", "null", "{}", "[{}]", "[null]", #"[{"refused":null}]"#, #"[{"refused":"false"}]"#]
    for text in ["", "{}", "null", "<html>"] + results.map({ #"{"results":\#($0)}"# }) {
      current.withLock { $0 = text }
      #expect(try application.refusal(of: never) != nil, "\(text)")
    }
    current.withLock { $0 = #"{"results":[{"refused":false}]}"# }
    #expect(try application.refusal(of: never) == nil)
  }

  @Test func `TypeScript takes the types of the client for Node, and finds what does not fit them`() throws {
    let folder = try TemporaryFolder()
    let clients = Repository.root.appending(path: "Config/clients")
    for name in ["revocations.mjs", "revocations.d.mts"] {
      let copy = URL(filePath: "\(folder.path)/\(name)")
      try FileManager.default.copyItem(at: clients.appending(path: name), to: copy)
    }
    let program = """
      import { Revocations, type Verdict } from "./revocations.mjs";
      const revocations = new Revocations({
        url: "http://a", token: "x", mode: "ask", failOpen: true, maxAge: 9, timeout: 1,
      });
      await revocations.ready;
      const verdict: Verdict = await revocations.check(
        { sid: "x", iat: 1, aud: ["y"] } as { sid: string; iat: number });
      new Response(null, verdict);
      revocations.express((request: { auth?: { sid: string } }) => request.auth);
      const age: number = revocations.age;

      """
    for (suffix, isRight) in [("", true), ("new Revocations({});", false), ("revocations.check(1);", false)] {
      let file = try folder.write(program + suffix, to: "program.mts")
      let result = try Program.run(
        "/usr/bin/tsc",
        ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2022,dom", "--target", "es2022", file])
      #expect((result.status == 0) == isRight, "\(result.output)\(result.errors)")
    }
  }
}
