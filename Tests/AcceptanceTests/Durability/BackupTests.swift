import Foundation
import RevocationStore
import Storage
import TestSupport
import Testing

@Suite("A copy of the store", .timeLimit(.minutes(5)))
struct BackupTests {
  @Test
  func `holds all that was answered 200 before it began, is a store itself, and is made under load without a lock`()
    throws
  {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_LOG_LEVEL": "error"])
    let load = try Load(on: server.address, connections: 6)
    #expect(eventually { load.record.acknowledged.count >= 20 })
    for number in 0..<5 {
      let before = Array(load.record.acknowledged.suffix(60))
      let restored = server.folder.path + "/restored-\(number)"
      try FileManager.default.createDirectory(atPath: restored, withIntermediateDirectories: false)
      let backup = try Executable.run(["backup", "--data", server.folder.data, restored + "/revoked.sqlite"])
      #expect(backup.status == 0 && backup.errors == "", "\(backup.errors)")
      // While the copy is read, the original is written.
      let check = try Executable.run(
        ["check", "--data", server.folder.data] + before.prefix(40).map(\.session))
      #expect(check.status == 0 && check.errors == "", "\(check.errors)")
      let store = try RevocationStore(data: restored, mode: .serve)
      #expect(try store.tally().events >= before.count)
      #expect(
        backup.output.contains(
          "/revoked.sqlite sessions=\(try store.tally().revocations) events=\(try store.tally().events) lastReceived="))
      try store.close()
      let restoredCheck = try Executable.run(["check", "--data", restored] + before.map(\.session))
      #expect(restoredCheck.status == 0)
      #expect(restoredCheck.output.split(separator: "\n").count { $0.contains(" revoked at=") } == before.count)
    }
    let record = load.stop()
    #expect(record.wrong == [] && record.refused == [] && record.unanswered == [])
  }

  @Test func `serves as a store: a server that starts on it refuses its sessions and goes on`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    let load = try Load(on: server.address, connections: 2)
    #expect(eventually { load.record.acknowledged.count >= 10 })
    let record = load.stop()
    let restored = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: restored.data, withIntermediateDirectories: false)
    #expect(try Executable.run(["backup", "--data", folder.data, restored.database]).status == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: restored.database)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: restored.data) == ["revoked.sqlite"])
    let backup = try RevocationStore(data: restored.data, mode: .inspect)
    let lastReceived = try #require(try backup.tally().lastReceivedAt)
    try backup.close()
    let successor = try RunningServer(in: restored)
    #expect(
      successor.log.wait {
        $0.contains("the store is a backup that was restored") && $0.contains(#""lastReceived":"\#(lastReceived)""#)
      })
    #expect(try Audit(successor).refused(record.acknowledged) == record.acknowledged)
    let more = try Load(on: successor.address, connections: 1)
    #expect(eventually { more.record.acknowledged.count >= 1 })
    #expect(more.stop().wrong == [])
    // Once: from then on it is a store like others.
    successor.signal(SIGTERM)
    #expect(successor.exit() == 0)
    let third = try RunningServer(in: restored)
    #expect(third.log.wait { $0.contains("the store was opened") } && !third.log.text.contains("restored"))
  }

  @Test func `can be looked at under its own name, and by the commands that only read alone`() throws {
    let store = try SeededStore(events: 3)
    let file = store.folder.path + "/revoked-2026-11-27.sqlite"
    #expect(try store.run("backup", file).status == 0)
    let run = { (arguments: [String]) in try Executable.run(arguments + ["--data", file], environment: [:]) }
    for arguments in [
      ["check", store.sessions[1]], ["events", "list"], ["events", "show", "2"], ["dead", "list"], ["store", "verify"],
    ] {
      let result = try run(arguments)
      #expect(result.status == 0 && result.errors == "", "\(arguments) \(result.errors)")
      let original = try Executable.run(arguments + ["--data", store.folder.data], environment: [:])
      #expect(result.output == original.output)
    }
    let before = try Data(contentsOf: URL(filePath: file))
    for arguments in [["dead", "discard", "--all"], ["serve"], ["store", "verify", "--rebuild"]] {
      let result = try Executable.run(arguments + ["--data", file])
      #expect(result.status == 74 && result.errors.contains("Not a directory"), "\(arguments) \(result.errors)")
    }
    #expect(try Data(contentsOf: URL(filePath: file)) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder.path).count == 2)
  }

  @Test func `beside the log of another store is refused by every command, and both files stay as they were`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    let load = try Load(on: server.address, connections: 2)
    #expect(eventually { load.record.acknowledged.count >= 10 })
    let mixed = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: mixed.data, withIntermediateDirectories: false)
    #expect(try Executable.run(["backup", "--data", folder.data, mixed.database]).status == 0)
    #expect(eventually { load.record.acknowledged.count >= 50 })
    _ = load.stop()
    server.signal(SIGKILL)
    _ = server.exit()
    try FileManager.default.copyItem(atPath: folder.database + "-wal", toPath: mixed.database + "-wal")
    let contents = { try ["", "-wal"].map { try Data(contentsOf: URL(filePath: mixed.database + $0)) } }
    let before = try contents()
    let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let serve = ["serve", "--listen", "127.0.0.1:0", "--private-listen", "127.0.0.1:0"]
    for command in [serve, ["check", session], ["events", "list"], ["dead", "replay", "--all"]] {
      let refused = try Executable.run(command + ["--data", mixed.data])
      #expect(refused.status == 74)
      #expect(refused.errors.contains("is a backup, but"), "\(refused.errors)")
    }
    #expect(try contents() == before)
  }

  @Test
  func `replaces a file only when told to, never the store itself, and leaves nothing behind when it fails`() throws {
    let folder = try TemporaryFolder()
    try RevocationStore(data: folder.data, mode: .serve).close()
    let existing = try folder.write("precious", to: "existing")
    let refused = try Executable.run(["backup", "--data", folder.data, existing])
    #expect(refused.status == 74)
    #expect(refused.errors == "revoked: \(existing) is there already; --force replaces it\n")
    #expect(try String(contentsOfFile: existing, encoding: .utf8) == "precious")
    let own = try Executable.run(["backup", "--force", "--data", folder.data, folder.database])
    #expect(own.status == 74 && own.errors.hasSuffix(": it is the store itself\n"))
    let nowhere = try Executable.run(["backup", "--data", folder.data, folder.path + "/nowhere/file"])
    #expect(nowhere.status == 74 && nowhere.errors.contains("No such file or directory"))
    #expect(try Executable.run(["backup", "--data", folder.path + "/none", folder.path + "/copy"]).status == 74)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data", "existing"])
    #expect(try Executable.run(["backup", "--force", "--data", folder.data, existing]).status == 0)
    #expect(try Data(contentsOf: URL(filePath: existing)).starts(with: Data("SQLite format 3".utf8)))
  }

  @Test(.enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
  func `that does not fit leaves nothing behind and says so`() throws {
    let folder = try TemporaryFolder()
    try RevocationStore(data: folder.data, mode: .serve).close()
    let disk = try TinyDisk(megabytes: 1)
    // Two pages are left.
    try disk.writeBallast(bytes: (1 << 20) - 8192)
    let backup = try Executable.run(["backup", "--data", folder.data, disk.folder.path + "/copy"])
    #expect(backup.status == 74)
    #expect(backup.errors.hasPrefix("revoked: no space left to write "), "\(backup.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.folder.path) == ["ballast"])
  }
}
