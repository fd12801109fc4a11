import Foundation
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// Files in the place of ours: refused with the cause, and left as they were.
@Suite(.timeLimit(.minutes(2))) struct RefusedFileTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.data, withIntermediateDirectories: false)
  }

  @Test(arguments: ["CREATE TABLE theirs (id INTEGER)", "PRAGMA application_id = 42", "PRAGMA user_version = 1"])
  func `another program's database is refused untouched`(sql: String) throws {
    try write(sql)
    try expectRefusal { $0 == .foreign(path: folder.database, cause: "it is another program's database") }
  }

  @Test func `a file that is no database is refused untouched`() throws {
    try write(Data(String(repeating: "Dear diary, today I was not a database. ", count: 200).utf8))
    try expectRefusal {
      if case .foreign(folder.database, _) = $0 { true } else { false }
    }
  }

  @Test func `a newer program's store is refused untouched`() throws {
    try RevocationStore(data: folder.data, mode: .serve).close()
    try write("PRAGMA user_version = 99")
    try expectRefusal { $0 == .schema(path: folder.database, found: 99, known: Schema.current.version) }
  }

  @Test func `a store of a build before the first release is refused untouched by a line that says so`() throws {
    try write("CREATE TABLE event (seq INTEGER); PRAGMA application_id = 1920363364; PRAGMA user_version = 1")
    try expectRefusal { $0 == .earlierBuild(path: folder.database) }
  }

  @Test(arguments: [0, -1])
  func `a store without a schema number is refused`(number: Int) throws {
    try RevocationStore(data: folder.data, mode: .serve).close()
    try write("PRAGMA user_version = \(number)")
    try expectRefusal { $0 == .corrupt(path: folder.database, cause: "it has no schema number") }
  }

  @Test func `a damaged store is refused`() throws {
    try RevocationStore(data: folder.data, mode: .serve).close()
    var bytes = try contents()
    bytes.replaceSubrange(100..<4096, with: Data(repeating: 0xA5, count: 3996))
    try write(bytes)
    try expectRefusal {
      if case .corrupt(folder.database, _) = $0 { true } else { false }
    }
  }

  @Test func `a folder in the file's place is refused`() throws {
    try FileManager.default.createDirectory(atPath: folder.database, withIntermediateDirectories: false)
    #expect(throws: StoreError.self) { try RevocationStore(data: folder.data, mode: .serve) }
  }

  @Test func `an inspector does not migrate a store`() throws {
    try write(Data())
    #expect(throws: StoreError.schema(path: folder.database, found: 0, known: Schema.current.version)) {
      try RevocationStore(data: folder.data, mode: .inspect)
    }
    #expect(try contents().isEmpty)
  }

  @Test func `an empty file is as good as none to a server, which says that the store is new`() throws {
    try write(Data())
    let store = try RevocationStore(data: folder.data, mode: .serve)
    #expect(store.isNew)
    #expect(try store.append([.revoking(1)]) == [.accepted])
    try store.close()
    #expect(try !RevocationStore(data: folder.data, mode: .serve).isNew)
  }

  @Test(arguments: [false, true])
  func `a log whose database is missing or empty is kept, and is whole again beside it`(isEmpty: Bool) throws {
    let elsewhere = try TemporaryFolder()
    let killed = try RevocationStore(data: elsewhere.data, mode: .serve)
    _ = try killed.append([.revoking(1)])
    try FileManager.default.copyItem(atPath: elsewhere.database + "-wal", toPath: folder.database + "-wal")
    if isEmpty { try write(Data()) }
    let log = try Data(contentsOf: URL(fileURLWithPath: folder.database + "-wal"))
    for _ in 0..<2 {
      #expect(throws: StoreError.logAlone(path: folder.database)) {
        try RevocationStore(data: folder.data, mode: .serve)
      }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database + "-wal")) == log)
    try write(Data(contentsOf: URL(fileURLWithPath: elsewhere.database)))
    let store = try RevocationStore(data: folder.data, mode: .serve)
    #expect(!store.isNew)
    #expect(try store.revocation(of: session(1)) != nil)
  }

  @Test(arguments: [
    (StoreError.locked(path: "/d", pid: 7), "/d is in use by another server (process 7)"),
    (.full(path: "/d/f"), "no space left to write /d/f"),
    (.schema(path: "/f", found: 0, known: 2), "/f has nothing in it yet: start `revoked serve` on it once"),
    (
      .schema(path: "/f", found: 3, known: 2),
      "/f was written by a newer revoked (schema 3, this one knows 2): start that one, or put a backup of "
        + "before in an empty folder"
    ),
    (
      .schema(path: "/f", found: 1, known: 2),
      "/f has the older schema 1, this program needs 2: `revoked serve` migrates it for good, so back it up "
        + "first, with the version that wrote it"
    ),
  ])
  func `an error is one line with path and cause`(error: StoreError, text: String) {
    #expect(error.description == text)
  }

  private func expectRefusal(_ isExpected: (StoreError) -> Bool) throws {
    let before = try contents()
    // Twice, because a refusal must not keep the lock.
    for mode in [StoreMode.serve, .serve, .inspect] {
      let error = #expect(throws: StoreError.self) { try RevocationStore(data: folder.data, mode: mode) }
      #expect(error.map(isExpected) == true, "\(mode): \(error.map(\.description) ?? "")")
    }
    #expect(try contents() == before)
  }

  private func contents() throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.database))
  }

  private func write(_ sql: String) throws {
    if !FileManager.default.fileExists(atPath: folder.database) { try write(Data()) }
    try Connection.outside(folder).execute(sql)
  }

  private func write(_ bytes: Data) throws {
    try bytes.write(to: URL(fileURLWithPath: folder.database))
  }
}
