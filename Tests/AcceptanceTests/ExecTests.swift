import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(3)))
struct ExecTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.write("", to: "ran")
  }

  /// A handler `run` whose shell has the folder as `$0`.
  private func settings(_ script: String, concurrency: Int = 4, _ more: [String: String] = [:]) throws -> [String:
    String]
  {
    let command = String(decoding: try JSONEncoder().encode(["/bin/sh", "-c", script, folder.path]), as: UTF8.self)
    let settings = [
      "REVOKED_HANDLERS_RUN_KIND": "exec", "REVOKED_HANDLERS_RUN_COMMAND": command,
      "REVOKED_HANDLERS_RUN_CONCURRENCY": "\(concurrency)", "REVOKED_TIMEOUTS_HEADER": "60s",
    ]
    return settings.merging(more) { $1 }
  }

  private func send(_ ids: [String], to server: RunningServer) throws {
    for id in ids {
      let body = DeliveryTests.event(session: DeliveryTests.session, eventId: id)
      #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
    }
  }

  private func send(_ count: Int, to server: RunningServer) throws {
    try send((1...count).map(String.init), to: server)
  }

  /// The lines that commands have written to the file `ran`.
  private var ran: [String] {
    get throws {
      try String(contentsOf: URL(filePath: "\(folder.path)/ran"), encoding: .utf8).split(separator: "\n").map(
        String.init)
    }
  }

  /// Returns when every event was delivered at its first attempt.
  private func expectDelivered(_ count: Int, by server: RunningServer) throws {
    #expect(
      try eventually {
        try server.metric(#"revoked_deliveries_total{handler="run",outcome="delivered"}"#) == Double(count)
      })
    #expect(try server.metric(#"revoked_deliveries_total{handler="run",outcome="failed"}"#) == 0)
  }

  /// Idle connections, until the server takes no more or there are so many.
  private func fill(_ address: ListenAddress, _ count: Int) throws -> [Client] {
    try (0..<count).map { _ in try Client(address) }
  }

  @Test
  func
    `with 256 descriptors and a concurrency of 100 every command runs, with the limit of the server at its start`()
    throws
  {
    let script = #"echo "$REVOKED_EVENT_ID $(ulimit -n) $(ls /proc/self/fd | tr '\n' ' ')" >> "$0/ran""#
    let server = try RunningServer(
      in: folder, environment: settings(script, concurrency: 100), through: ["/usr/bin/prlimit", "--nofile=200:256"])
    #expect(server.log.text.contains("a handler's concurrency is lowered"))
    try send(200, to: server)
    try expectDelivered(200, by: server)
    // 3 is that of the folder which is listed.
    #expect(try Set(ran) == Set((1...200).map { "\($0) 200 0 1 2 3 " }))
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
  }

  @Test func `with 1,024 descriptors idle connections leave enough for 16 commands`() throws {
    let script = #"while [ ! -e "$0/gate" ]; do sleep 0.02; done; echo "$REVOKED_EVENT_ID" >> "$0/ran""#
    let server = try RunningServer(
      in: folder, environment: settings(script, concurrency: 16), through: ["/usr/bin/prlimit", "--nofile=1024:1024"])
    try send(64, to: server)
    let clients = try fill(server.address, 475) + fill(server.privateAddress, 425)
    #expect(try eventually { try server.descriptors > 870 })
    _ = try folder.write("", to: "gate")
    try expectDelivered(64, by: server)
    #expect(try Set(ran) == Set((1...64).map(String.init)))
    withExtendedLifetime(clients) {}
  }

  @Test func `a command waits while the table of descriptors is full, and is no failed attempt`() throws {
    let script = #"while [ ! -e "$0/gate" ]; do sleep 0.02; done; echo "$REVOKED_EVENT_ID" >> "$0/ran""#
    let server = try RunningServer(in: folder, environment: settings(script, concurrency: 1))
    try send(3, to: server)
    // Below what it counted on when it started.
    let limit = try server.descriptors + 20
    #expect(
      try Program.run("/usr/bin/prlimit", ["--pid", "\(server.processIdentifier)", "--nofile=\(limit):\(limit)"]).status
        == 0)
    var clients = try fill(server.address, 100)
    #expect(try eventually { try server.descriptors >= limit - 1 })
    _ = try folder.write("", to: "gate")
    #expect(eventually { server.log.text.contains("a command waits until the system has room for it") })
    clients = []
    try expectDelivered(3, by: server)
    #expect(try ran == ["1", "2", "3"])
    withExtendedLifetime(clients) {}
  }

  @Test func `a command that its killed server left behind has ended when its event is attempted again`() throws {
    // The shell leads the group; its child is what works.
    let script = #"""
      if [ -e "$0/pid" ]; then
        grep -q "^State:.[^ZX]" "/proc/$(cat "$0/pid")/status" 2> /dev/null && beside=beside || beside=alone
        echo $beside >> "$0/ran"
      else
        sh -c 'echo $$ > "$0/new"; mv "$0/new" "$0/pid"; trap "" TERM; while :; do sleep 1000; done' "$0"
      fi
      """#
    let server = try RunningServer(in: folder, environment: settings(script))
    try send(1, to: server)
    let pid = "\(folder.path)/pid"
    #expect(eventually { FileManager.default.fileExists(atPath: pid) })
    let child = try #require(
      Int32(String(contentsOf: URL(filePath: pid), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect(kill(child, 0) == 0, "it runs on while there is no server")
    let second = try RunningServer(in: folder, environment: settings(script))
    try expectDelivered(1, by: second)
    #expect(try ran == ["alone"])
    #expect(isGone(child))
  }

  @Test
  func `a command finds no secret in the server's environment or its own, and a reload still knows them`() throws {
    let script =
      #"cat /proc/$PPID/environ /proc/$$/environ | tr '\0' '\n' > "$0/found"; echo "$REVOKED_EVENT_ID" >> "$0/ran""#
    let others = ["REVOKED_PRIVATE_TOKEN": "private-0123456789", "DYNAMIC_API_TOKEN": "dyn_token_0123456789abcdef"]
    let server = try RunningServer(in: folder, environment: settings(script, others))
    try send(1, to: server)
    #expect(try eventually { try ran == ["1"] })
    let found = try String(contentsOf: URL(filePath: "\(folder.path)/found"), encoding: .utf8)
    // Both were read: each has a PATH.
    #expect(found.split(separator: "\n").count { $0.hasPrefix("PATH=") } == 2)
    for secret in others.values + [Executable.secret] { #expect(!found.contains(secret)) }
    server.signal(SIGHUP)
    #expect(eventually { server.log.text.contains("reloaded the secrets") })
    try send(["2"], to: server)
    #expect(try eventually { try ran == ["1", "2"] })
  }

  @Test func `a dead letter has the last line that its command wrote to standard error`() throws {
    let script = #"echo output; printf 'first\nno such user: \033]52;c;x\007 é\n\n' >&2; exit 78"#
    let server = try RunningServer(in: folder, environment: settings(script))
    try send(1, to: server)
    #expect(try eventually { try server.metric(#"revoked_dead_letters{handler="run"}"#) == 1 })
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
    let dead = try Executable.run("dead", "list", "--json", "--data", folder.data)
    let error = "the command refused the event (exit code 78): no such user: \u{FFFD}]52;c;x\u{FFFD} é"
    #expect(dead.output.contains(#""error":"\#(error)""#), "\(dead.output)")
  }

  /// Whether the process has ended, waited for or not.
  private func isGone(_ process: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
    return text.split(separator: ")").last?.dropFirst().first == "Z"
  }
}
