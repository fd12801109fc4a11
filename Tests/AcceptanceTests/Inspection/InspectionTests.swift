import Foundation
import TestSupport
import Testing

@Suite("The commands events and dead", .timeLimit(.minutes(5)))
struct InspectionTests {
  @Test(arguments: [
    ["events", "list"], ["events", "show", "1", "3"], ["dead", "list"], ["dead", "show", "1/audit", "3"],
  ])
  func `show what is stored, and nothing that a terminal would obey`(command: [String]) throws {
    let store = try SeededStore(events: 2)
    for json in [false, true] {
      let result = try Executable.run(
        command + ["--data", store.folder.data] + (json ? ["--json"] : []), environment: [:])
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      let obeyed = result.output.unicodeScalars.filter { $0 != "\n" && ($0.value < 0x20 || 0x7F...0x9F ~= $0.value) }
      #expect(obeyed.isEmpty && !result.output.contains("\u{202E}"), "\(result.output.debugDescription)")
      let lines = result.output.split(separator: "\n")
      #expect(lines.count >= 2)
      if json {
        for line in lines { #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any]) }
      }
    }
  }

  @Test func `dead list and events list cut their last column on a terminal, and only there`() throws {
    let store = try SeededStore(events: 2)
    try store.giveUp(1, error: "exit status 7: " + String(repeating: "long ", count: 40) + "end")
    for command in [["dead", "list"], ["events", "list"]] {
      let piped = try Executable.run(command + ["--data", store.folder.data], environment: [:]).output.lines
      let shown = try Executable.runOnTerminal(command + ["--data", store.folder.data]).lines
      #expect(shown == piped.map { $0.count <= 80 ? $0 : $0.prefix(79) + "…" }, "\(shown)")
      #expect(shown.count == piped.count && piped.count > 2)
      if command[0] == "dead" { #expect(piped.contains { $0.hasSuffix("long end") }, "\(piped)") }
    }
  }

  @Test func `events list shows the newest first, and how the handlers stand`() throws {
    let store = try SeededStore(events: 3)
    let result = try store.run("events", "list", "--limit", "3")
    #expect(result.status == 0 && result.errors == "revoked: there are more: --limit N, or --all\n")
    let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.map { $0[0] } == ["EVENT", "4", "3", "2"])
    #expect(lines[1][2] == "(undecodable)")
    #expect(lines[2] == ["3", "2026-09-21T14:13:20.000Z", "user.session.revoked", "1", "dead"])
    let named = try store.run(
      "events", "list", "--json", "--name", "user.session.revoked", "--since", "2026-09-21T00:00:00Z")
    #expect(named.output.split(separator: "\n").count == 3)
    #expect(named.output.contains(#""sessionId":"\#(store.sessions[0])""#))
    #expect(named.output.contains(#""eventId":"event-of-\#(store.sessions[0])""#))
    #expect(try store.run("events", "list", "--since", "2027-09-21T00:00:00Z").output == "no events\n")
    #expect(try store.run("events", "list", "--since", "2027-09-21T00:00:00Z", "--json").output == "")
  }

  @Test func `a handler that does not want an event is not said to have had it`() throws {
    let store = try SeededStore(events: 1)
    #expect(try store.run("dead", "discard", "1/audit").status == 0)
    let other = ReplayTests.audit.merging(["REVOKED_HANDLERS_AUDIT_EVENTS": "admin.*"]) { $1 }
    for (configured, state) in [([:], "done"), (ReplayTests.audit, "done"), (other, "not wanted")] {
      let command = ["events", "show", "1", "--data", store.folder.data]
      let shown = try Executable.run(command, environment: configured).output
      #expect(shown.contains("audit: \(state)\n"), "\(shown)")
    }
  }

  @Test func `events show finds an event by its number and by its eventId, and says which are not there`() throws {
    let store = try SeededStore(events: 2)
    let byID = try store.run("events", "show", "event-of-\(store.sessions[1])")
    #expect(byID.status == 0)
    #expect(byID.output == (try store.run("events", "show", "2").output))
    #expect(byID.output.contains("sessionId  \(store.sessions[1])\n"))
    #expect(byID.output.contains("handler    audit: dead after 20 attempts: exit status 1: \\u{1b}[31m"))
    #expect(byID.output.contains(#"\#n\#n{"eventId":"event-of-"#))
    let missing = try store.run("events", "show", "1", "99", "nothing")
    #expect(missing.status == 1)
    #expect(missing.output.contains(store.sessions[0]))
    #expect(missing.errors == "revoked: there is no event 99\nrevoked: there is no event nothing\n")
  }

  @Test func `dead list selects by handler and time`() throws {
    let store = try SeededStore(events: 3)
    let ids = { (arguments: [String]) in
      try Executable.run(["dead", "list", "--data", store.folder.data] + arguments, environment: [:])
        .output.split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").first.map(String.init) }
    }
    #expect(try ids([]) == ["1/audit", "2/audit", "3/audit", "4"])
    #expect(try ids(["--limit", "2"]) == ["1/audit", "2/audit"])
    #expect(try ids(["--limit", "1", "--all"]) == ["1/audit", "2/audit", "3/audit", "4"])
    #expect(try ids(["--handler", "audit", "--since", "2026-09-21T14:15:20Z"]) == ["2/audit", "3/audit"])
    #expect(try ids(["--since", "1s"]) == [])
    let unknown = try store.run("dead", "list", "--handler", "audits")
    #expect(unknown.status == 1 && unknown.output == "")
    #expect(unknown.errors == "revoked: the store knows no handler audits\n")
  }

  @Test func `an id too long for its column is never cut`() throws {
    let name = String(repeating: "a", count: 63)
    let result = try SeededStore(events: 1, handler: name).run("dead", "list")
    #expect(result.output.lines.contains("1/\(name)"))
  }

  @Test(arguments: [
    ["dead", "replay"], ["dead", "discard"], ["dead", "replay", "1/audit", "--all"],
    ["dead", "discard", "1/audit", "--handler", "audit"], ["dead", "replay", "audit"], ["dead", "replay", "0"],
    ["dead", "replay", "1/"], ["dead", "list", "--since", "yesterday"], ["dead", "list", "--limit", "0"],
    ["dead", "show"], ["events", "show"], ["events", "list", "--limit", "x"], ["dead", "replay", "--since", ""],
  ])
  func `nothing given is not everything, and what makes no sense is a usage error`(arguments: [String]) throws {
    let store = try SeededStore(events: 2)
    let result = try Executable.run(arguments + ["--data", store.folder.data], environment: [:])
    #expect(result.status == 64 && result.output == "", "\(result.errors)")
    #expect(try store.deadLetters() == ["1/audit", "2/audit", "3"])
  }

  @Test(arguments: ["replay", "discard", "show"])
  func `an id that is no dead letter's is named, and nothing is done`(command: String) throws {
    let store = try SeededStore(events: 2)
    let result = try store.run("dead", command, "1/audit", "9/audit", "1/other")
    #expect(result.status == 1 && result.output == "")
    #expect(result.errors == "revoked: there is no dead letter 9/audit\nrevoked: there is no dead letter 1/other\n")
    #expect(try store.deadLetters() == ["1/audit", "2/audit", "3"])
  }

  @Test(arguments: [
    ["events", "list"], ["events", "show", "1"], ["dead", "list"], ["dead", "show", "1"],
    ["dead", "replay", "--all"],
    ["dead", "discard", "1"],
  ])
  func `without a store they are an I/O error, and make none`(command: [String]) throws {
    let folder = try TemporaryFolder()
    let result = try Executable.run(command + ["--data", folder.data], environment: [:])
    #expect(result.status == 74 && result.output == "")
    #expect(result.errors == "revoked: there is no store at \(folder.database)\n")
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }
}

extension String {
  fileprivate var lines: [String] { split(whereSeparator: \.isNewline).map(String.init) }
}
