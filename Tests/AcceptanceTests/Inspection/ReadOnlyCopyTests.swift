import DynamicEvents
import Foundation
import RevocationStore
import Storage
import TestSupport
import Testing

@Suite(
  "A copy on a read-only medium", .timeLimit(.minutes(5)),
  .enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
struct ReadOnlyCopyTests {
  /// What a server leaves behind: stopped in order, or killed with events in the log alone.
  private func disk(_ files: [String], of store: TemporaryFolder) throws -> TinyDisk {
    let disk = try TinyDisk(megabytes: 8)
    try FileManager.default.createDirectory(atPath: disk.folder.data, withIntermediateDirectories: false)
    for file in files {
      try FileManager.default.copyItem(atPath: "\(store.data)/\(file)", toPath: "\(disk.folder.data)/\(file)")
    }
    try disk.freeze()
    return disk
  }

  @Test(arguments: ["data", "a folder?immutable=0#%41"])
  func `can be looked at, whatever its path is called, and backed up`(name: String) throws {
    let store = try SeededStore(events: 2)
    let disk = try TinyDisk(megabytes: 8)
    let data = "\(disk.folder.path)/\(name)"
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
    try FileManager.default.copyItem(atPath: store.folder.database, toPath: data + "/revoked.sqlite")
    try disk.freeze()
    let run = { (arguments: [String]) in try Executable.run(arguments + ["--data", data], environment: [:]) }
    for arguments in [["events", "list"], ["events", "show", "1"], ["dead", "list"], ["check", store.sessions[0]]] {
      let result = try run(arguments)
      #expect(result.status == 0 && result.errors == "", "\(arguments) \(result.errors)")
      #expect(
        result.output == (try Executable.run(arguments + ["--data", store.folder.data], environment: [:]).output))
    }
    let copy = store.folder.path + "/copy"
    #expect(try run(["backup", copy]).output.hasPrefix("\(copy) sessions=2 events=3 lastReceived="))
    #expect(try run(["dead", "discard", "--all"]).status == 74)
  }

  @Test func `with events in its log says that it needs to be copied, and shows nothing without them`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    let event = DeliveryTests.event(session: DeliveryTests.session)
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    let disk = try disk(["revoked.sqlite", "revoked.sqlite-wal"], of: folder)
    let result = try Executable.run(["check", DeliveryTests.session, "--data", disk.folder.data], environment: [:])
    #expect(result.status == 74 && result.output == "")
    #expect(result.errors.contains("revoked.sqlite-wal holds events, and nothing can be written beside it"))
    // Beside its index SQLite reads it.
    let all = try self.disk(["revoked.sqlite", "revoked.sqlite-wal", "revoked.sqlite-shm"], of: folder)
    let found = try Executable.run(["check", DeliveryTests.session, "--data", all.folder.data], environment: [:])
    #expect(found.status == 0, "\(found.errors)")
  }
}
