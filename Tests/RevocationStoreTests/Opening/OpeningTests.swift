import DynamicEvents
import Foundation
import KeyIndex
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct OpeningTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func `the log's file is longer than the log, so that few syncs have to write its size`() throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    var sizes: Set<Int> = []
    for number in 0..<300 {
      #expect(try store.append([.revoking(UInt64(number))]) == [.accepted])
      sizes.insert(store.sizes?.log ?? 0)
    }
    // One commit in five at most makes it longer.
    #expect((2...60).contains(sizes.count) && (sizes.min() ?? 0) >= LogSize.step, "\(sizes.sorted())")
    try store.close()
    #expect(store.sizes?.log == 0)
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

  /// As somebody does who takes it for a leftover.
  @Test(arguments: ["", "12345\n"])
  func `a lock file that is removed or replaced lets no second server in`(content: String) throws {
    let first = try RevocationStore(data: folder.data, mode: .serve)
    try FileManager.default.removeItem(atPath: folder.data + "/lock")
    if !content.isEmpty { try Data(content.utf8).write(to: URL(fileURLWithPath: folder.data + "/lock")) }
    for _ in 0..<2 {
      #expect(throws: StoreError.locked(path: folder.data, pid: content.isEmpty ? nil : 12345)) {
        try RevocationStore(data: folder.data, mode: .serve)
      }
    }
    #expect(try first.append([.revoking(1)]) == [.accepted])
    try first.close()
    try RevocationStore(data: folder.data, mode: .serve).close()
  }

  @Test func `a server that is not to make a store says how to come by one, and makes nothing`() throws {
    let error = #expect(throws: StoreError.newStoreRefused(path: folder.database)) {
      try RevocationStore(data: folder.data, mode: .serve, makesStore: false)
    }
    let text = try #require(error?.description)
    for way in ["`revoked init`", "restore a backup", "new-store"] { #expect(text.contains(way)) }
    #expect(!FileManager.default.fileExists(atPath: folder.data))
    try RevocationStore(data: folder.data, mode: .serve).close()
    #expect(try !RevocationStore(data: folder.data, mode: .serve, makesStore: false).isNew)
  }

  @Test func `a store says when it was made, and a copy of it says the same`() throws {
    let before = Date().timeIntervalSince1970
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let made = Double(store.createdAt.milliseconds) / 1000
    // In whole seconds.
    #expect(before - 1...Date().timeIntervalSince1970 ~= made)
    let copy = folder.path + "/copy"
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
    _ = try store.backUp(to: copy + "/revoked.sqlite")
    #expect(try RevocationStore(data: copy, mode: .serve).createdAt == store.createdAt)
  }

  @Test func `a log that a foreign reader keeps from being folded is reported once, and when that is over`() throws {
    let notices = Mutex<[String]>([])
    let store = try RevocationStore(
      data: folder.data, mode: .serve, keyIndex: KeyIndexLimits(), foldsLogAt: 10
    ) { notice in
      switch notice {
      case .logCannotBeFolded(let bytes): notices.withLock { $0.append(bytes > LogSize.tooLarge ? "grew" : "small") }
      case .logIsFolded: notices.withLock { $0.append("folded") }
      default: break
      }
    }
    _ = try store.append([.revoking(1)])
    let reader = try Connection.outside(folder)
    try reader.execute("BEGIN; SELECT count(*) FROM event")
    // A little more than the bound, of events as large as they may be.
    var number: UInt64 = 1
    while let log = store.sizes?.log, log <= LogSize.tooLarge + (2 << 20) {
      number += 1
      let body = [UInt8](repeating: 1, count: 256 << 10)
      _ = try store.append((0..<16).map { try .revoking(number * 100 + $0, body: body) })
    }
    #expect(notices.withLock(\.self) == ["grew"])
    let sizes = try #require(store.sizes)
    #expect(sizes.database > 0 && sizes.free > 0)
    try reader.execute("COMMIT")
    for extra in UInt64(1)...3 { _ = try store.append([.revoking(extra << 40)]) }
    #expect(notices.withLock(\.self) == ["grew", "folded"])
  }

  @Test func `a store that was a backup says so once, and since when it knows nothing`() throws {
    let notices = Mutex<[String]>([])
    let open = { (data: String) throws -> RevocationStore in
      try RevocationStore(data: data, mode: .serve) { notice in
        if case .restored(let last) = notice { notices.withLock { $0.append(last?.description ?? "never") } }
      }
    }
    let store = try open(folder.data)
    for (number, received) in [("empty", Int64?.none), ("used", 5000)] {
      if let received { _ = try store.append([.revoking(1, receivedAt: received)]) }
      let copy = folder.path + "/" + number
      try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
      _ = try store.backUp(to: copy + "/revoked.sqlite")
      // To look at it changes nothing.
      try RevocationStore(data: copy, mode: .inspect).close()
      for _ in 0..<2 { try open(copy).close() }
    }
    #expect(notices.withLock(\.self) == ["never", time(5000).description])
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
