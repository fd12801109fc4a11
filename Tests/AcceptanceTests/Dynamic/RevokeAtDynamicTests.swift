import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("revoke, here and at Dynamic", .timeLimit(.minutes(5)))
struct RevokeAtDynamicTests {
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let user = "44444444-4444-4444-8444-444444444444"
  static let sessions = (1...3).map { "3f0c6f6e-1c3a-4f0b-9a52-00000000000\($0)" }
  static let token = "dyn_an-api-token-of-some-length"

  /// Dynamic's API as far as revocations go: `answer` has the first word, and what it leaves open is done.
  private final class API: Sendable {
    private final class Log: Sendable {
      let requests = Mutex<[StandInRequest]>([])
    }

    private let log: Log
    private let server: StandInServer

    init(_ answer: @escaping @Sendable (_ path: String) -> StandInResponse? = { _ in nil }) throws {
      let log = Log()
      self.log = log
      server = try StandInServer { request in
        log.requests.withLock { $0.append(request) }
        if let response = answer(request.path) { return response }
        switch request.method {
        case "PUT": return StandInResponse(200, #"{"id":"x"}"#)
        case _ where request.path.hasSuffix("/users/sessions/revoke"): return StandInResponse(202, #"{"message":"ok"}"#)
        default: return StandInResponse(raw: "HTTP/1.1 204 x\r\nConnection: close\r\n\r\n")
        }
      }
    }

    deinit { server.stop() }

    var calls: [String] { log.requests.withLock { $0.map { "\($0.method) \($0.path)" } } }
    var tokens: Set<String?> { log.requests.withLock { Set($0.map { $0.fields["authorization"] }) } }

    func variables(_ folder: TemporaryFolder) -> [String: String] {
      [
        "REVOKED_DATA": folder.data, "DYNAMIC_ENVIRONMENT_ID": RevokeAtDynamicTests.environment,
        "DYNAMIC_API_TOKEN": RevokeAtDynamicTests.token, "REVOKED_DYNAMIC_API_URL": server.url + "/api/v0",
      ]
    }
  }

  /// A folder with a store, and no server.
  private func store() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    #expect(try Executable.run("init", environment: ["REVOKED_DATA": folder.data]).status == 0)
    return folder
  }

  private func revoke(_ arguments: [String], _ api: API, _ folder: TemporaryFolder) throws -> Executable.Result {
    let result = try Executable.run(["revoke"] + arguments, environment: api.variables(folder))
    #expect(!(result.output + result.errors).contains(Self.token))
    return result
  }

  private func isRevoked(_ session: String, _ folder: TemporaryFolder) throws -> Bool {
    try Executable.run("check", session, "--data", folder.data, environment: [:]).status == 0
  }

  @Test(arguments: [
    (
      arguments: ["session"] + sessions, calls: sessions.map { "PUT /api/v0/sessions/\($0)/revoke" },
      lines: sessions.map { "session \($0): refused here from now on" }
        + sessions.map { "session \($0): revoked at Dynamic" }
    ),
    (
      arguments: ["user", user.uppercased()],
      calls: ["POST /api/v0/environments/\(environment)/users/\(user)/sessions/revoke"],
      lines: [
        "user \(user): every token issued until now is refused here from now on",
        "user \(user): every session revoked at Dynamic",
      ]
    ),
    (
      arguments: ["environment", "--yes"], calls: ["POST /api/v0/environments/\(environment)/users/sessions/revoke"],
      lines: [
        "environment \(environment): every token issued until now is refused here from now on",
        "environment \(environment): Dynamic has put the revocation of every session into its queue, and works "
          + "through it",
        "0 revocations have arrived since; --wait shows them coming in",
      ]
    ),
  ])
  func `Both halves are done, with a line for each`(arguments: [String], calls: [String], lines: [String]) throws {
    let (api, folder) = (try API(), try store())
    let result = try revoke(arguments, api, folder)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    #expect(result.output == lines.joined(separator: "\n") + "\n")
    #expect(api.calls == calls)
    #expect(api.tokens == ["Bearer \(Self.token)"])
  }

  @Test(
    arguments: [
      (
        StandInResponse(401, #"{"error":"expired"}"#), 1,
        ["does not accept the API token (401): expired", "not expired"]
      ),
      (StandInResponse(403, #"{"error":"Forbidden"}"#), 1, ["(403): Forbidden", "environment.users.write"]),
      (
        StandInResponse(403, #"{"error":{"code":"x","message":"not yours"},"payload":{}}"#), 1,
        ["(403): not yours", "dynamic.environment-id"]
      ),
      (StandInResponse(404, #"{"error":"no user","code":"not_found"}"#), 1, ["does not know it (404): no user"]),
      (StandInResponse(422, #"{"error":"malformed","code":"x"}"#), 1, ["refused the call (422): malformed"]),
      (
        StandInResponse(429, "<html>slow down</html>", fields: ["Retry-After: 120"]), 1,
        ["limits how often it is called (429)", "again in 120 s"]
      ),
      (StandInResponse(503, "busy"), 4, ["cannot answer now (503)", "try again later"]),
      (StandInResponse(400, "<html>"), 1, ["refused the call (400)"]),
      (StandInResponse(302, "", fields: ["Location: https://elsewhere.example/"]), 1, ["(302)"]),
      (
        StandInResponse(raw: "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{"), 4,
        ["not reachable", "may have been done"]
      ),
    ] as [(StandInResponse, Int, [String])])
  func `What Dynamic refuses is said in plain words, and stays refused here`(
    answer: StandInResponse, tries: Int, says: [String]
  ) throws {
    let (api, folder) = (try API { _ in answer }, try store())
    let result = try revoke(["user", Self.user], api, folder)
    #expect(result.status == 1)
    #expect(result.output == "user \(Self.user): every token issued until now is refused here from now on\n")
    for text in says + ["user \(Self.user): not revoked at Dynamic: ", "half done: refused here"] {
      #expect(result.errors.contains(text), "\(result.errors)")
    }
    #expect(api.calls.count == tries)
  }

  @Test func `One session that Dynamic does not know keeps none of the others from being revoked`() throws {
    let unknown = Self.sessions[1]
    let api = try API { $0.contains(unknown) ? StandInResponse(404, #"{"error":"unknown"}"#) : nil }
    let folder = try store()
    let result = try revoke(["session"] + Self.sessions, api, folder)
    #expect(result.status == 1 && api.calls.count == 3)
    #expect(result.output.components(separatedBy: ": revoked at Dynamic\n").count == 3)
    #expect(result.errors.contains("session \(unknown): not revoked at Dynamic: "))
    for session in Self.sessions { #expect(try isRevoked(session, folder)) }
  }

  @Test func `A token that is refused is tried for one session, and the others are named as not asked for`() throws {
    let api = try API { _ in StandInResponse(401, "") }
    let folder = try store()
    let result = try revoke(["session"] + Self.sessions, api, folder)
    #expect(result.status == 1 && api.calls.count == 1)
    #expect(result.errors.contains("Dynamic was not asked for the 2 behind it"))
    for session in Self.sessions { #expect(try isRevoked(session, folder)) }
  }

  @Test func `Without a store the other half is done, and is said to be half`() throws {
    let (api, folder) = (try API(), try TemporaryFolder())
    let result = try revoke(["session", Self.sessions[0]], api, folder)
    #expect(result.status == 1 && api.calls.count == 1)
    #expect(result.output == "session \(Self.sessions[0]): revoked at Dynamic\n")
    #expect(result.errors.contains("half done: revoked at Dynamic, but not refused here"))
    let neither = try revoke(["user", Self.user], try API { _ in StandInResponse(401, "") }, folder)
    #expect(neither.status == 74 && neither.output == "")
  }

  @Test func `--local asks Dynamic for nothing, and without a token that is said`() throws {
    let (api, folder) = (try API(), try store())
    let local = try revoke(["session", Self.sessions[0], "--local"], api, folder)
    #expect(local.status == 0 && local.errors == "" && api.calls.isEmpty)
    let plain = ["REVOKED_DATA": folder.data]
    let without = try Executable.run(["revoke", "session", Self.sessions[1]], environment: plain)
    #expect(
      without.status == 0 && without.errors.contains("not revoked at Dynamic, since there is no dynamic.api-token"))
    let half = plain.merging(["DYNAMIC_API_TOKEN": Self.token]) { $1 }
    let refused = try Executable.run(["revoke", "session", Self.sessions[2]], environment: half)
    #expect(refused.status == 78 && refused.errors.contains("dynamic.environment-id"))
    #expect(try !isRevoked(Self.sessions[2], folder))
  }

  @Test func `The environment's id is typed on a terminal, or nothing is done`() throws {
    let (api, folder) = (try API(), try store())
    #expect(try revoke(["environment"], api, folder).status == 64)
    let command = "'\(Executable.url.path)' revoke environment"
    for (typed, status) in [("yes", 1), (Self.environment, 0)] as [(String, Int32)] {
      let process = Executable.process(
        ["--quiet", "--return", "--command", command, "/dev/null"], api.variables(folder))
      process.executableURL = URL(filePath: "/usr/bin/script")
      let input = Pipe()
      process.standardInput = input
      try input.fileHandleForWriting.write(contentsOf: Data("\(typed)\n".utf8))
      let result = try Executable.finish(process)
      #expect(result.status == status, "\(result)")
      #expect(api.calls.count == (status == 0 ? 1 : 0))
    }
  }

  @Test func `--wait shows the revocations that arrive`() throws {
    let (api, folder) = (try API(), try TemporaryFolder())
    let server = try RunningServer(in: folder)
    let process = Executable.process(["revoke", "environment", "--yes", "--wait"], api.variables(folder))
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let log = LogReader(output.fileHandleForReading)
    #expect(log.wait { $0.contains("0 revocations have arrived since\n") })
    for session in Self.sessions {
      let event = DeliveryTests.event(session: session)
      #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    }
    #expect(log.wait { $0.contains("3 revocations have arrived since\n") })
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
  }
}
