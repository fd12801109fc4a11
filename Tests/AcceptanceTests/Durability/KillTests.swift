import Foundation
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// The promise, against SIGKILL at any moment: under load, or while the server starts.
@Suite("A server that is killed again and again", .timeLimit(.minutes(60)), .serialized)
struct KillTests {
  private static let rounds = LongRun.isAsked ? 1000 : 50
  private static let handler = ["REVOKED_HANDLERS_AUDIT_KIND": "log", "REVOKED_LOG_LEVEL": "error"]

  @Test func `keeps every event that it answered 200, refuses its session, and brings it to its handler`() throws {
    var random = SplitMix(seed: LongRun.seed(for: "kill"))
    let folder = try TemporaryFolder()
    var last: [Load.Sent] = []
    var count = 0
    var unhandled: Set<String> = []
    for round in 0..<Self.rounds {
      if Int.random(in: 0..<5, using: &random) == 0 {
        // It may have come as far as to bring its handler what was pending.
        try Self.strike(killWhileStarting(in: folder, &random), from: &unhandled)
      }
      let server = try RunningServer(in: folder, environment: Self.handler)
      // What was there at the end of one round is there at the start of the next.
      try #require(Audit(server).refused(last) == last, "round \(round)")
      let pid = server.processIdentifier
      // At an answer, and up to two commits later.
      let delay = DispatchTimeInterval.microseconds(.random(in: 0...5000, using: &random))
      let load = try Load(
        on: server.address, connections: .random(in: 2...12, using: &random),
        alarm: (
          .random(in: 1...120, using: &random),
          { DispatchQueue.global().asyncAfter(deadline: .now() + delay) { Foundation.kill(pid, SIGKILL) } }
        ))
      let record = load.wait()
      #expect(server.exit() == SIGKILL)
      try #require(record.wrong == [] && record.refused == [])
      last = record.acknowledged
      count += last.count
      unhandled.formUnion(last.map(\.session))
      Self.strike(server.log.wholeText, from: &unhandled)
      // Done, which the handler's lines have shown; or pending.
      if round % 10 == 0 { try Self.expectPending(unhandled, in: folder) }
    }
    let server = try RunningServer(in: folder, environment: Self.handler)
    try #require(Audit(server).refused(last) == last)
    #expect(
      server.log.wait { text in
        var rest = unhandled
        Self.strike(text, from: &rest)
        return rest.isEmpty
      })
    #expect(try (server.metric("revoked_sessions_revoked") ?? 0) >= Double(count))
    print("kill: \(Self.rounds) rounds, \(count) events answered 200")
  }

  /// Takes away the sessions that the handler has written a line about.
  private static func strike(_ log: String, from sessions: inout Set<String>) {
    for line in log.split(separator: "\n") where line.contains(#""handler":"audit""#) {
      guard let start = line.range(of: #""sessionId":""#)?.upperBound else { continue }
      sessions.remove(String(line[start...].prefix(36)))
    }
  }

  /// Behind the handler's position, as the disk has it now. Looked at in a copy, so that it is the next server that
  /// recovers.
  private static func expectPending(_ sessions: Set<String>, in folder: TemporaryFolder) throws {
    let copy = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: folder.data, toPath: copy.data)
    try? FileManager.default.removeItem(atPath: copy.database + "-shm")
    let store = try RevocationStore(data: copy.data, mode: .inspect)
    var rest = sessions
    var position = try store.read { try $0.first("SELECT position FROM handler") { try $0.integer(0) } } ?? 0
    while case let page = try store.events(after: position, limit: 1000), page.end > position {
      position = page.end
      for event in page.events {
        let body = String(decoding: event.body, as: UTF8.self)
        if let start = body.range(of: #""data":{"id":""#)?.upperBound { rest.remove(String(body[start...].prefix(36))) }
      }
    }
    try #require(rest == [], "neither handled nor pending")
  }

  /// Answers its log.
  private func killWhileStarting(in folder: TemporaryFolder, _ random: inout SplitMix) throws -> String {
    let process = Executable.process(
      ["serve"],
      Self.handler.merging([
        "DYNAMIC_WEBHOOK_SECRET": Executable.secret, "REVOKED_LISTEN": "127.0.0.1:0",
        "REVOKED_PRIVATE_LISTEN": "127.0.0.1:0", "REVOKED_DATA": folder.data,
      ]) { $1 })
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    let log = LogReader(pipe.fileHandleForReading)
    let pid = process.processIdentifier
    let delay = DispatchTimeInterval.milliseconds(.random(in: 0...60, using: &random))
    DispatchQueue.global().asyncAfter(deadline: .now() + delay) { Foundation.kill(pid, SIGKILL) }
    process.waitUntilExit()
    return log.wholeText
  }
}
