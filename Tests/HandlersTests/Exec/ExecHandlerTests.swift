import DynamicEvents
import Foundation
import Handlers
import Logging
import RevocationStore
import Storage
import Synchronization
import TestSupport
import Testing

/// One after the other: they count this process's children.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ExecHandlerTests {
  private let folder: TemporaryFolder
  private let log = LogCollector()

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  private func event(id: String = "7", name: String = "user.session.revoked", padding: Int = 0) throws -> Event {
    let padding = String(repeating: "x", count: padding)
    let text = #"{"eventId":"\#(id)","eventName":"\#(name)","data":{"id":"\#(Self.session)"},"padding":"\#(padding)"}"#
    return try Event(body: Array(text.utf8))
  }

  /// Runs `script` in a shell whose `$0` is the test's folder.
  private func shell(_ script: String) -> ExecHandler {
    ExecHandler("/bin/sh", ["-c", script, folder.path], logger: log.logger)
  }

  private func read(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: "\(folder.path)/\(name)"), encoding: .utf8)
  }

  @Test(arguments: [
    ("7", "user.session.revoked", ["REVOKED_EVENT_ID=7", "REVOKED_EVENT_NAME=user.session.revoked"], true),
    ("7", "wallet.linked", ["REVOKED_EVENT_ID=7", "REVOKED_EVENT_NAME=wallet.linked"], false),
    // The first 16 bytes of the SHA-256 of "a b".
    ("a b", #"a\u0000b"#, ["REVOKED_EVENT_ID=c8687a08aa5d6ed2044328fa6a697ab8"], false),
  ])
  func `A command has PATH and what the event is in its environment, and nothing else`(
    id: String, name: String, expected: [String], hasSession: Bool
  ) async throws {
    try await shell(#"tr '\0' '\n' < /proc/$$/environ > "$0/environment""#).handle(event(id: id, name: name))
    let path = try #require(ProcessInfo.processInfo.environment["PATH"])
    let session = hasSession ? ["REVOKED_SESSION_ID=\(Self.session)"] : []
    let found = try read("environment").split(separator: "\n").map(String.init)
    #expect(found.sorted() == (["PATH=\(path)"] + expected + session).sorted())
  }

  @Test(arguments: [0, 1_000_000])
  func `The body stands on standard input, byte for byte, however long`(padding: Int) async throws {
    let event = try event(padding: padding)
    try await shell(#"cat > "$0/body""#).handle(event)
    #expect(try Array(read("body").utf8) == event.body)
  }

  @Test func `A command that reads nothing succeeds, however long the body is`() async throws {
    let event = try event(padding: 1_000_000)
    await #expect(throws: Never.self) { try await ExecHandler("true", logger: log.logger).handle(event) }
  }

  @Test func `A command's arguments go through no shell`() async throws {
    try await ExecHandler("printf", ["%s|", "$HOME", "a b", "*"], logger: log.logger).handle(event())
    #expect(log.metadata.compactMap { $0["output"] } == ["$HOME|a b|*|"])
  }

  @Test func `Exit code 78 makes a dead letter; any other but 0, and a signal, says how it ended`() async throws {
    await #expect(throws: Undeliverable.self) { try await shell("exit 78").handle(event()) }
    for (script, text) in [
      ("exit 75", "the command asked for another attempt (exit code 75)"),
      ("exit 3", "the command failed with exit code 3"),
      ("kill -KILL $$", "the command was ended by signal 9"),
      ("echo out; echo one >&2; printf 'two\\n \\n' >&2; exit 3", "the command failed with exit code 3: two"),
      ("printf '\\033[2J\\342\\200\\256x' >&2; exit 3", "the command failed with exit code 3: \u{FFFD}[2J\u{FFFD}x"),
      (
        "head -c 100000 /dev/zero | tr '\\0' y >&2; exit 3",
        "the command failed with exit code 3: " + String(repeating: "y", count: 256) + "…"
      ),
    ] {
      let error = try #require(await #expect(throws: (any Error).self) { try await shell(script).handle(event()) })
      #expect("\(error)" == text)
      #expect(!(error is Undeliverable))
    }
    await #expect(throws: (any Error).self) {
      try await ExecHandler("/nonexistent/command", logger: log.logger).handle(event())
    }
  }

  @Test func `Signals that we ignore or block are as usual in the command`() async throws {
    try await shell(#"grep -E '^Sig(Blk|Ign)' /proc/self/status > "$0/signals""#).handle(event())
    let masks = try read("signals").split(separator: "\n").map { UInt64($0.suffix(16), radix: 16) }
    // 32 and 33 are glibc's own, which its posix_spawn leaves ignored.
    #expect(masks.map { $0.map { $0 & ~0x1_8000_0000 } } == [0, 0])
  }

  @Test(arguments: ["", "exec > /dev/null 2>&1;"])
  func `At its deadline a command is killed with its children, though they ignore SIGTERM or it has closed its output`(
    before: String
  ) async throws {
    let handler = shell(
      before + #"(trap '' TERM; sh -c 'echo $$ > "$0/new"; mv "$0/new" "$0/child"; exec sleep 1000' "$0") & wait"#)
    let event = try event()
    let attempt = Task { try await handler.handle(event) }
    while !FileManager.default.fileExists(atPath: "\(folder.path)/child") {
      try Task.checkCancellation()
      await Task.yield()
    }
    let child = try #require(Int(read("child").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(ProcessTable.isAlive(child))
    attempt.cancel()
    await #expect(throws: (any Error).self) { try await attempt.value }
    // Killed, but the kernel takes its time.
    while ProcessTable.isAlive(child) {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  @Test
  func `The error of a command that took too long has the last line that it wrote to standard error`() async throws {
    let bench = try Bench()
    let handler = shell(#"echo waiting for the lock >&2; : > "$0/begun"; sleep 1000"#)
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("run", timeout: .seconds(10), maxAttempts: 1, handler: handler))
    try bench.store("1")
    dispatcher.wake()
    while !FileManager.default.fileExists(atPath: "\(folder.path)/begun") {
      try Task.checkCancellation()
      await Task.yield()
    }
    bench.clock.advance(by: .seconds(10))
    try await bench.idles("run", dead: 1)
    let errors = try bench.store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).map(\.error)
    #expect(errors == ["timed out after 10.0 seconds: the command was ended by signal 9: waiting for the lock"])
    await dispatcher.stop()
  }

  @Test func `A child that stays behind and holds the output does not hold the attempt`() async throws {
    try await shell(#"sleep 1000 & echo $! > "$0/child""#).handle(event())
    let child = try #require(Int32(read("child").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(kill(child, SIGKILL) == 0)
  }

  @Test func `What a command prints is logged to a bound, and the rest is read`() async throws {
    await #expect(throws: (any Error).self) {
      try await shell("head -c 3000 /dev/zero | tr '\\0' a; head -c 997000 /dev/zero | tr '\\0' b >&2; exit 1").handle(
        event())
    }
    let logged = try #require(log.metadata.first?["output"])
    let kept = String(repeating: "a", count: 3000) + String(repeating: "b", count: 1096)
    #expect("\(logged)" == kept + "… (995904 bytes more)")
    #expect(log.metadata.count == 1)
  }

  @Test func `A thousand events, eight at a time, leave no zombie and no descriptor`() async throws {
    let handler = ExecHandler("/bin/true", logger: log.logger)
    // What the library keeps for its own use is there from the first on.
    try await handler.handle(event())
    let before = ProcessTable.childDescriptors
    let bench = try Bench()
    let dispatcher = try bench.dispatcher(HandlerRegistration("run", concurrency: 8, handler: handler))
    try bench.store(many: 1000)
    dispatcher.wake()
    try await bench.idles("run")
    #expect(dispatcher.counters.map { $0.delivered.load(ordering: .relaxed) } == [1000])
    await dispatcher.stop()
    #expect(ProcessTable.zombies == 0)
    #expect(ProcessTable.childDescriptors <= before)
  }
}
