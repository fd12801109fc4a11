import Foundation
import TestSupport
import Testing

@Suite("catch-up", .timeLimit(.minutes(5)))
struct CatchUpCommandTests {
  private let folder: TemporaryFolder
  private let api: StandInDynamic

  init() throws {
    folder = try TemporaryFolder()
    api = try StandInDynamic()
    try api.revoke(12, asMessages: true)
    try api.revoke(3, asMessages: true, isDelivered: true)
    try api.revoke(5, asMessages: false)
  }

  private var variables: [String: String] {
    [
      "REVOKED_DATA": folder.data, "DYNAMIC_WEBHOOK_SECRET": Vector.secret, "DYNAMIC_API_TOKEN": api.state.token,
      "DYNAMIC_ENVIRONMENT_ID": StandInDynamic.environment, "REVOKED_DYNAMIC_API_URL": api.apiURL,
      // What a server fetches by itself is another test's.
      "REVOKED_DYNAMIC_CHECK_EVERY": "0s",
    ]
  }

  private func run(_ arguments: String...) throws -> Executable.Result {
    let result = try Executable.run(["catch-up"] + arguments, environment: variables)
    #expect(!(result.output + result.errors).contains(api.state.token))
    return result
  }

  private func counts(_ result: Executable.Result) throws -> [String: Int] {
    try JSONDecoder().decode([String: Int].self, from: Data(result.output.utf8))
  }

  @Test(arguments: [true, false])
  func `What Dynamic could not deliver is stored once, beside a running server and without one`(isRunning: Bool) throws
  {
    #expect(try Executable.run(["init"], environment: ["REVOKED_DATA": folder.data]).status == 0)
    let server = isRunning ? try RunningServer(in: folder) : nil
    let would = try run("--json", "--dry-run")
    #expect(would.status == 0, "\(would)")
    let found = try counts(would)
    #expect(Set(found.keys) == ["messages", "events", "stored", "known"])
    #expect(try counts(run("--json", "--dry-run")) == found)

    let first = try run("--json")
    #expect(first.status == 0 && first.errors == "", "\(first)")
    #expect(try counts(first) == found && found["stored"]! >= 17)
    let again = try counts(run("--json", "--since", "2h"))
    #expect(again["stored"] == 0 && again["known"]! >= 17)

    for source in ["message", "event"] {
      let events = try Executable.run(["events", "list", "--all", "--json"], environment: variables)
      let lines = events.output.split(separator: "\n").filter { $0.contains(#""source":"\#(source)""#) }
      #expect(lines.count >= (source == "message" ? 12 : 5))
    }
    if let server { #expect(try server.metric("revoked_sessions_revoked") == Double(found["stored"]!)) }
  }

  @Test func `It says in words what it did, and what would be done`() throws {
    #expect(try Executable.run(["init"], environment: ["REVOKED_DATA": folder.data]).status == 0)
    let would = try run("--since", "1d", "--dry-run")
    #expect(would.status == 0 && would.output.contains(" would be stored, 0 known already\n"), "\(would)")
    let done = try run("--since", "1d")
    #expect(
      done.output.hasSuffix(": 12 failed messages, 8 events without one; 20 stored, 0 known already\n"), "\(done)")
  }

  @Test func `A store, a secret, a token and a time that can be true are needed`() throws {
    #expect(try run().status == 74)
    #expect(try run("--since", "2100-01-01T00:00:00Z").status == 64)
    #expect(try run("--since", "yesterday").status == 64)
    #expect(api.state.requests.isEmpty)
    let without = try Executable.run(["catch-up"], environment: ["REVOKED_DATA": folder.data])
    #expect(without.status == 78 && without.errors.contains("secrets"))
  }

  @Test(arguments: [
    (StandInResponse(401, #"{"error":"expired"}"#), 1, "does not accept the API token (401): expired"),
    (StandInResponse(403, #"{"error":{"code":"scope"}}"#), 1, "environment.events.read"),
    (StandInResponse(200, "<html>"), 1, "sent what cannot be used"),
    (StandInResponse(raw: "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{"), 69, "not reachable"),
  ])
  func `An API that fails in the middle is said in plain words, and the next run completes it`(
    answer: StandInResponse, status: Int32, says: String
  ) throws {
    #expect(try Executable.run(["init"], environment: ["REVOKED_DATA": folder.data]).status == 0)
    api.change { $0.fault = { $0.path.hasSuffix("/events") ? answer : nil } }
    let result = try run()
    #expect(result.status == status && result.errors.contains(says), "\(result)")
    api.change { $0.fault = nil }
    #expect(try run().status == 0)
    let check = try Executable.run(["events", "list", "--all", "--json"], environment: variables)
    #expect(check.output.split(separator: "\n").count >= 17)
  }
}
