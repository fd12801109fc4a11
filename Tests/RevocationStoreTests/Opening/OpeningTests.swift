import Foundation
import SQLite
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct OpeningTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func `commits are synced and written ahead`() throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    #expect(try store.write { try $0.number("PRAGMA synchronous") } == 2)
    #expect(try store.write { try $0.text("PRAGMA journal_mode") } == "wal")
    #expect(try store.write { try $0.number("PRAGMA application_id") } == Int64(Schema.applicationID))
    try store.probeWritable()
    try store.probeWritable()
    #expect(try store.read { try $0.number("SELECT probes FROM tally") } == 2)
  }

  @Test func `folders and files are made for their owner alone`() throws {
    let data = folder.path + "/a/b/data/"
    let store = try RevocationStore(data: data, mode: .serve)
    _ = try store.append([.revoking(1)])
    #expect(try mode(folder.path + "/a") == 0o700)
    #expect(try mode(data) == 0o700)
    for file in ["revoked.sqlite", "revoked.sqlite-wal", "revoked.sqlite-shm", "lock"] {
      #expect(try mode(data + file) == 0o600, "\(file)")
    }
  }

  @Test func `a relative path is made in the working folder`() throws {
    let name = "revoked-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: name) }
    let store = try RevocationStore(data: name, mode: .serve)
    // What a message says of it must hold in every folder.
    #expect(store.path == FileManager.default.currentDirectoryPath + "/\(name)/revoked.sqlite")
    try store.close()
    #expect(FileManager.default.fileExists(atPath: name + "/revoked.sqlite"))
  }

  @Test func `a second server is refused, and told whom to look for, until the first is gone`() throws {
    var first: RevocationStore? = try RevocationStore(data: folder.data, mode: .serve)
    #expect(throws: StoreError.locked(path: folder.data, pid: ProcessInfo.processInfo.processIdentifier)) {
      try RevocationStore(data: folder.data, mode: .serve)
    }
    _ = try first?.append([.revoking(1)])
    first = nil
    #expect(try RevocationStore(data: folder.data, mode: .serve).tally().events == 1)
  }

  @Test func `what was stored is there after a restart, and numbers go on`() throws {
    var store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append([.revoking(1), .revoking(2)])
    #expect(try store.tally().events == 2)
    try store.close()
    let log = try? Data(contentsOf: URL(fileURLWithPath: folder.database + "-wal"))
    #expect(log?.isEmpty != false, "closing folds the log into the database")
    store = try RevocationStore(data: folder.data, mode: .serve)
    #expect(try store.append([.revoking(1), .revoking(3)]) == [.duplicate, .accepted])
    #expect(try store.revocations(of: [session(1), session(2), session(3)]).count == 3)
    #expect(try store.events(after: 0, limit: 9).events.map(\.seq) == [1, 2, 3])
  }

  @Test func `what a killed server left in the write-ahead log is there for its successor and for an inspector`() throws
  {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append([.revoking(1)])
    // What the disk holds at this moment is what a kill leaves.
    for copy in ["successor", "inspector"] {
      try FileManager.default.createDirectory(atPath: folder.path + "/" + copy, withIntermediateDirectories: false)
      for file in ["/revoked.sqlite", "/revoked.sqlite-wal"] {
        try FileManager.default.copyItem(atPath: folder.data + file, toPath: folder.path + "/" + copy + file)
      }
    }
    let successor = try RevocationStore(data: folder.path + "/successor", mode: .serve)
    #expect(try successor.revocation(of: session(1)) != nil)
    let inspector = try RevocationStore(data: folder.path + "/inspector", mode: .inspect)
    #expect(try inspector.revocation(of: session(1)) != nil)
  }

  @Test func `an inspector reads beside a server, and writes nothing`() throws {
    let server = try RevocationStore(data: folder.data, mode: .serve)
    _ = try server.append([.revoking(1)])
    let inspector = try RevocationStore(data: folder.data, mode: .inspect)
    #expect(try inspector.revocation(of: session(1)) != nil)
    #expect(throws: StoreError.readOnly(path: folder.database)) { try inspector.append([.revoking(2)]) }
    #expect(throws: StoreError.readOnly(path: folder.database)) { try inspector.probeWritable() }
    try inspector.close()
    #expect(try server.append([.revoking(2)]) == [.accepted])
  }

  @Test func `an inspector makes no store where there is none`() throws {
    #expect(throws: StoreError.missing(path: folder.database)) {
      try RevocationStore(data: folder.data, mode: .inspect)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }

  @Test(arguments: [
    ("/proc/revoked", "No such file or directory"), ("FILE/data", "Not a directory"), ("FILE", "Not a directory"),
  ])
  func `a folder that cannot be used is named with the cause`(path: String, cause: String) throws {
    let file = folder.path + "/file"
    try Data().write(to: URL(fileURLWithPath: file))
    let data = path.replacingOccurrences(of: "FILE", with: file)
    let error = #expect(throws: StoreError.self) { try RevocationStore(data: data, mode: .serve) }
    #expect(error?.description.hasSuffix(cause) == true)
    #expect(error?.description.contains(file) == true || error?.description.contains("/proc/revoked") == true)
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}
