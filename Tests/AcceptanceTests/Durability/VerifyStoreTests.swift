import DynamicEvents
import Foundation
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite("store verify", .timeLimit(.minutes(5)))
struct VerifyStoreTests {
  let store: SeededStore

  init() throws {
    store = try SeededStore(events: 20, at: Int64(Date().timeIntervalSince1970) * 1000)
  }

  @Test
  func `finds a whole store whole, beside a server and without one, and says how far it is on a terminal`() throws {
    let alone = try store.run("store", "verify")
    #expect(alone.status == 0 && alone.output == "the store is whole\n" && alone.errors == "")
    let server = try RunningServer(in: store.folder)
    #expect(try store.run("store", "verify").status == 0)
    #expect(try server.get("/readyz").status == 200)
    let terminal = try Executable.runOnTerminal(["store", "verify", "--data", store.folder.data])
    for stage in ["pages", "counts", "events", "revocations"] { #expect(terminal.contains(stage), "\(terminal)") }
  }

  @Test(arguments: [
    ("UPDATE tally SET events = 7", "events: 7 noted, 21 found\n"),
    ("UPDATE handler SET dead = 0", "dead deliveries of handler audit: 0 noted, 20 found\n"),
    ("UPDATE tally SET last_revocation = 3", "numbers of the feed given out: 3 noted, 20 found\n"),
    ("DROP TABLE key_block", "no such table: key_block\n"),
    // As a restore from a file system's backup may leave it.
    ("INSERT INTO key_run SELECT 1, 'event', 0, 0, 20, x'00', x'00', 0", "a run of the index is malformed\n"),
  ])
  func `names each fault and ends with 1, and --rebuild mends what follows from the rows`(damage: String, line: String)
    throws
  {
    try outside(damage)
    let verified = try store.run("store", "verify")
    #expect(verified.status == 1 && verified.output.contains(line), "\(verified.output)")
    let rebuilt = try store.run("store", "verify", "--rebuild")
    #expect(rebuilt.status == 0 && rebuilt.output == "the store is whole\n", "\(rebuilt.output)")
    #expect(rebuilt.errors == "revoked: made the index of 41 rows and the counts anew\n")
    #expect(try store.run("store", "verify").status == 0)
    try expectRefused(by: RunningServer(in: store.folder))
  }

  @Test func `says that the rows themselves are damaged, with and without --rebuild, and what is left to do`() throws {
    let file = try FileHandle(forUpdating: URL(filePath: store.folder.database))
    let root = try Connection(store.folder.database, waiting: .atMost(milliseconds: 0))
      .first("SELECT rootpage FROM sqlite_schema WHERE name = 'revocation'") { try $0.integer(0) }
    try file.seek(toOffset: UInt64(try #require(root) - 1) * 4096)
    try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
    try file.close()
    let verified = try store.run("store", "verify")
    #expect(verified.status == 1 && !verified.output.isEmpty)
    let rebuilt = try store.run("store", "verify", "--rebuild")
    #expect(rebuilt.status == 1 && rebuilt.output.contains("is damaged: "), "\(rebuilt.output)")
    #expect(rebuilt.output.contains("restore a backup into an empty folder"))
  }

  @Test func `says what it is when there is no store, or a file that is none`() throws {
    let none = try Executable.run(["store", "verify", "--data", store.folder.path + "/none"])
    #expect(none.status == 74 && none.errors.contains("there is no store at"))
    #expect(!FileManager.default.fileExists(atPath: store.folder.path + "/none"))
    try Data("precious".utf8).write(to: URL(filePath: store.folder.database))
    for rebuild in [[], ["--rebuild"]] {
      let foreign = try Executable.run(["store", "verify", "--data", store.folder.data] + rebuild)
      #expect(foreign.status == 1 && foreign.output.contains("is not a store of revoked"), "\(foreign)")
    }
    #expect(try String(contentsOfFile: store.folder.database, encoding: .utf8) == "precious")
  }

  @Test
  func `finds the damage beside a server, which mends it by itself and never says that a revoked session is not`()
    throws
  {
    // More than a start takes into memory, so that the server writes runs.
    try addRevocations(100_000)
    let server = try RunningServer(in: store.folder)
    let built = { (text: String) in text.components(separatedBy: "the store's index is built anew").count - 1 }
    // Before its last step the index is whole for others, and the server would meet the damage by itself.
    #expect(server.log.wait { built($0) == 1 })
    #expect(try store.run("store", "verify").status == 0)
    try outside("UPDATE key_block SET entries = zeroblob(length(entries))")
    let found = try store.run("store", "verify")
    #expect(found.status == 1 && found.output.contains("a block of the index is malformed\n"), "\(found.output)")
    let refused = try store.run("store", "verify", "--rebuild")
    #expect(refused.status == 74)
    #expect(
      refused.errors.contains("(process \(server.processIdentifier)): it makes its index anew by itself"),
      "\(refused.errors)")
    // The first of those in a run; any of them begins it.
    let session = try connection().first("SELECT session FROM revocation WHERE seq = 100") { try $0.blob(0) }
    let id = try #require(session.flatMap { SessionID(bytes: $0) })
    let isMended = try eventually {
      let answer = try server.get("/v1/sessions/\(id)")
      #expect(answer.status == 503 || answer.body.contains(#""revoked":true"#), "\(answer.body)")
      return answer.status == 200
    }
    #expect(isMended)
    #expect(server.log.wait { built($0) == 2 })
    #expect(try store.run("store", "verify").output == "the store is whole\n")
    try expectRefused(by: server)
  }

  @Test
  func `leaves a store that is mended by the next start or the next --rebuild, when a rebuilding is killed`() throws {
    try addRevocations(300_000)
    for round in 0..<4 {
      // The first time nothing is indexed yet; later ones begin by throwing away what is there.
      try killRebuilding(atRuns: round + 1)
      var cut = try store.run("store", "verify")
      while cut.status == 0 {
        // The signal came late, and little or nothing was left to do.
        try outside("DELETE FROM key_run; DELETE FROM key_block")
        try killRebuilding(atRuns: round + 1)
        cut = try store.run("store", "verify")
      }
      #expect(cut.status == 1 && cut.output == "the index lacks rows\n", "\(cut.output)")
    }
    let server = try RunningServer(in: store.folder)
    #expect(server.log.wait { $0.contains("the store's index is built anew") })
    try expectRefused(by: server)
    #expect(try store.run("store", "verify").output == "the store is whole\n")
    server.signal(SIGTERM)
    #expect(server.exit() == 0)
    #expect(try store.run("store", "verify", "--rebuild").status == 0)
  }

  private func killRebuilding(atRuns count: Int) throws {
    let process = Executable.process(["store", "verify", "--rebuild", "--data", store.folder.data], [:])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let reader = try connection()
    let hasCome = try eventually {
      let runs = try reader.first("SELECT count(*) FROM key_run WHERE indexed = 'revocation'") { $0.number(0) }
      return try #require(runs) >= count || !process.isRunning
    }
    kill(process.processIdentifier, SIGKILL)
    reader.close()
    process.waitUntilExit()
    #expect(hasCome && (process.terminationReason == .uncaughtSignal || process.terminationStatus == 0))
  }

  private func expectRefused(by server: RunningServer) throws {
    for session in store.sessions {
      #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#))
    }
  }

  /// Rows that no index has, as many as it takes for a rebuilding of some length.
  private func addRevocations(_ count: Int) throws {
    try outside(
      """
      WITH RECURSIVE more(n) AS (SELECT 21 UNION ALL SELECT n + 1 FROM more WHERE n < \(20 + count))
      INSERT INTO revocation SELECT n, randomblob(16), 0, 'user', unixepoch() * 1000, 1, NULL FROM more;
      """)
    try outside("UPDATE tally SET last_revocation = \(20 + count), revocations = \(20 + count)")
  }

  private func outside(_ sql: String) throws {
    try connection().execute(sql)
  }

  private func connection() throws -> Connection {
    try Connection(store.folder.database, waiting: .atMost(milliseconds: 10_000))
  }
}
