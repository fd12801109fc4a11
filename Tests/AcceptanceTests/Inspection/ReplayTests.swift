import Foundation
import HTTPServer
import RevocationStore
import Storage
import TestSupport
import Testing

@Suite("The commands dead replay and dead discard", .timeLimit(.minutes(5)))
struct ReplayTests {
  static let audit = ["REVOKED_HANDLERS_AUDIT_KIND": "log"]

  @Test func `what is replayed reaches its handler at once while the server runs, without another event`() throws {
    let store = try SeededStore(events: 3)
    let server = try RunningServer(in: store.folder, environment: Self.audit)
    for (number, session) in zip(1..., store.sessions) {
      #expect(!Self.handled(server.log.text, session))
      let result = try store.run("dead", "replay", "\(number)/audit")
      #expect(result.status == 0 && result.output == "replayed 1 dead letter\n" && result.errors == "")
      #expect(server.log.wait { Self.handled($0, session) })
    }
    #expect(server.log.wait { $0.contains("a dead letter that was put back is attempted again") })
    #expect(try eventually { try server.metric(#"revoked_dead_letters{handler="audit"}"#) == 0 })
    #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="audit"}"#) == 0 })
    #expect(try store.deadLetters() == ["4"])
  }

  @Test func `what is replayed while no server runs reaches its handler at the next start`() throws {
    let store = try SeededStore(events: 300)
    let result = try store.run("dead", "replay", "--handler", "audit", "--json")
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output == #"{"replayed":300,"undecodable":0}"# + "\n")
    #expect(try store.deadLetters() == ["301"])
    let server = try RunningServer(in: store.folder, environment: Self.audit)
    #expect(server.log.wait { text in store.sessions.allSatisfy { Self.handled(text, $0) } })
  }

  @Test func `what is replayed for a handler that the server has no more waits, which is said`() throws {
    let store = try SeededStore(events: 2)
    let server = try RunningServer(in: store.folder)
    let result = try store.run("dead", "replay", "--handler", "audit")
    #expect(result.status == 0 && result.output == "replayed 2 dead letters\n")
    #expect(result.errors.hasPrefix("revoked: the server has no handler audit: "), "\(result.errors)")
    #expect(try store.run("events", "list").output.contains("1 retrying"))
    withExtendedLifetime(server) {}
  }

  @Test func `what still cannot be decoded stays dead, and the exit status says so`() throws {
    let store = try SeededStore(events: 2)
    let result = try store.run("dead", "replay", "--all")
    #expect(result.status == 1 && result.output == "replayed 2 dead letters\n")
    #expect(result.errors == "revoked: 1 stay dead: this release cannot decode them either\n")
    #expect(try store.deadLetters() == ["3"])
  }

  @Test func `what can be decoded now revokes its session in the running server, and reaches its handlers`() throws {
    let store = try SeededStore(events: 1, at: Int64(Date().timeIntervalSince1970) * 1000)
    let session = UUID().uuidString.lowercased()
    let opened = try RevocationStore(data: store.folder.data, mode: .serve)
    try SeededStore.storeUndecodable(DeliveryTests.event(session: session), in: opened)
    try opened.close()
    let server = try RunningServer(in: store.folder, environment: Self.audit)
    for _ in 0..<2 { #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":false"#)) }
    let known = try server.get("/v1/revocations").body
    let cursor = try #require(known.firstMatch(of: /"cursor":"([^"]+)"/)?.1)
    let result = try store.run("dead", "replay", "3")
    #expect(result.status == 0 && result.output == "replayed 1 dead letter\n")
    #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#))
    // Whoever follows the feed hears of it as well.
    #expect(try server.get("/v1/revocations?after=\(cursor)&wait=30").body.contains(session))
    #expect(server.log.wait { Self.handled($0, session) })
    #expect(try store.deadLetters() == ["1/audit", "2"])
  }

  @Test func `what is discarded never reaches its handler, and its session stays revoked`() throws {
    let store = try SeededStore(events: 3)
    let result = try store.run("dead", "discard", "1/audit", "4")
    #expect(result.status == 0 && result.output == "discarded 2 dead letters\n" && result.errors == "")
    #expect(try store.deadLetters() == ["2/audit", "3/audit"])
    let some = try store.run("dead", "discard", "--since", "2026-09-21T14:16:20Z", "--json")
    #expect(some.status == 0 && some.output == #"{"discarded":1}"# + "\n")
    #expect(try store.deadLetters() == ["2/audit"])
    #expect(try store.run("check", store.sessions[0]).status == 0)
    #expect(try store.run("dead", "discard", "--all").output == "discarded 1 dead letter\n")
    #expect(try store.run("dead", "list").output == "no dead letters\n")
  }

  @Test func `every command gets through beside a server under load, and no delivery is refused for it`() throws {
    let store = try SeededStore(
      events: 600, handler: "old", at: Int64(Date().timeIntervalSince1970) * 1000)
    let server = try RunningServer(in: store.folder, environment: ["REVOKED_LOG_LEVEL": "error"])
    let send = Executable.process(
      ["send", "--count", "3000", "--concurrency", "8", "--url", server.address.url + "/webhooks/dynamic"],
      ["DYNAMIC_WEBHOOK_SECRET": Executable.secret])
    let output = Pipe()
    send.standardOutput = output
    try send.run()
    var rounds = 0
    while rounds < 10, rounds < 3 || send.isRunning {
      let ids = (rounds * 60 + 1...rounds * 60 + 60).map { "\($0)/old" }
      let commands: [([String], String)] = [
        (["dead", "replay"] + ids.prefix(50), "replayed 50 dead letters"),
        (["dead", "discard"] + ids.suffix(10), "discarded 10 dead letters"),
        (["dead", "list", "--json"], "{"), (["events", "list"], "EVENT"),
        (["events", "show", "\(rounds + 1)"], "seq        \(rounds + 1)\n"),
        (["check", store.sessions[rounds]], store.sessions[rounds]),
        (["backup", "\(store.folder.path)/copy-\(rounds)"], store.folder.path),
      ]
      for (command, start) in commands {
        let result = try Executable.run(command + ["--data", store.folder.data], environment: [:])
        #expect(result.status == 0 && result.output.hasPrefix(start), "\(command.prefix(2)): \(result.output)")
        #expect(!(result.output + result.errors).contains("locked"), "\(command.prefix(2)): \(result.errors)")
      }
      rounds += 1
    }
    let summary = try output.fileHandleForReading.readToEnd() ?? Data()
    send.waitUntilExit()
    #expect(send.terminationStatus == 0, "\(String(decoding: summary, as: UTF8.self))")
    #expect(try server.metric("revoked_sessions_revoked") == 3600)
    #expect(try store.deadLetters().count == 600 - rounds * 60 + 1)
    #expect(!server.log.text.contains("locked"))
  }

  @Test
  func `config check tells of handlers that the store knows and the configuration lacks, and is content`() throws {
    let store = try SeededStore(events: 2)
    let check = { (environment: [String: String]) in
      try Executable.run(
        ["config", "check", "--data", store.folder.data],
        environment: environment.merging(["DYNAMIC_WEBHOOK_SECRET": Executable.secret]) { $1 })
    }
    let renamed = try check(["REVOKED_HANDLERS_AUDITOR_KIND": "log"])
    #expect(renamed.status == 0 && renamed.output.hasPrefix("configuration ok: "))
    #expect(
      renamed.errors
        == "revoked: notice: the store knows a handler audit (0 pending, 2 dead), which the configuration lacks: was "
        + "it removed or renamed?\n"
    )
    let known = try check(Self.audit)
    #expect(known.status == 0 && known.errors == "")
    try Data("not a database, but long enough to be taken for one".utf8).write(to: URL(filePath: store.folder.database))
    let broken = try check(Self.audit)
    #expect(broken.status == 0 && broken.errors.hasPrefix("revoked: notice: the handlers were not compared"))
  }

  @Test
  func `a server says at its start and at SIGHUP which handlers it lacks while events wait; those can be forgotten`()
    throws
  {
    let store = try SeededStore(events: 2)
    let discard = { (arguments: [String]) in
      try Executable.run(["dead", "discard", "--data", store.folder.data] + arguments, environment: [:])
    }
    let file = try store.folder.write("handlers.later: {kind: log}\n", to: "revoked.yaml")
    let server = try RunningServer(in: store.folder, environment: Self.audit, arguments: ["--config", file])
    // Both are known to the server, whatever the command's configuration says.
    #expect(try discard(["--handler", "later"]).output == "discarded 0 dead letters\n")
    server.signal(SIGTERM)
    #expect(server.exit() == 0)

    let next = try RunningServer(in: store.folder, arguments: ["--config", file])
    #expect(next.log.wait { Self.warnings($0) == ["audit 0 2 revoked dead discard --handler audit"] })
    for id in ["one", "two"] {
      let body = DeliveryTests.event(session: store.sessions[0], eventId: id)
      #expect(try next.post(body, signature: DeliveryTests.sign(body)).status == 200)
    }
    #expect(try eventually { try next.metric(#"revoked_deliveries_pending{handler="later"}"#) == 0 })
    _ = try store.folder.write("log.level: info\n", to: "revoked.yaml")
    next.signal(SIGHUP)
    #expect(
      next.log.wait {
        // Nothing waits for the other one.
        Self.warnings($0).dropFirst() == ["audit 2 2 revoked dead discard --handler audit"]
      })
    // Only what is meant to be forgotten whole is.
    #expect(
      try discard(["--handler", "audit", "--since", "2027-01-01T00:00:00Z"]).output == "discarded 0 dead letters\n")
    #expect(try discard(["1/audit"]).output == "discarded 1 dead letter\n")
    #expect(
      try discard(["--handler", "audit"]).output
        == "discarded 1 dead letter\nforgot the handler audit, for which 2 events waited\n")
    let json = #"{"discarded":0,"forgotten":0}"# + "\n"
    #expect(try eventually { try discard(["--handler", "later", "--json"]).output == json })
    #expect(try discard(["--handler", "audit"]).errors == "revoked: the store knows no handler audit\n")
    #expect(try next.metric(#"revoked_deliveries_pending{handler="audit"}"#) == nil)
  }

  /// What the lines about handlers that are not configured name.
  private static func warnings(_ log: String) -> [String] {
    log.split(separator: "\n").compactMap { line in
      guard
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let message = object["message"] as? String, message.hasPrefix("events wait for a handler"),
        let wayOut = message.split(separator: "`").dropFirst().first
      else { return nil }
      return "\(object["handler"] ?? "") \(object["pending"] ?? "") \(object["dead"] ?? "") \(wayOut)"
    }
  }

  private static func handled(_ log: String, _ session: String) -> Bool {
    log.split(separator: "\n").contains { $0.contains(#""handler":"audit""#) && $0.contains(session) }
  }
}
