import DynamicEvents
import Foundation
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct LookUpReaderTests {
  let folder: TemporaryFolder
  let store: RevocationStore
  let reader: LookUpReader

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
    reader = LookUpReader(store)
  }

  @Test func `it answers as the store does`() throws {
    _ = try store.append([
      .revoking(1), .revoking(2, by: .admin, revokedAt: nil), .revoking(UInt64.max, event: 7), .other(9),
    ])
    for number in [0, 1, 2, 3, 9, 1 << 32, UInt64.max - 1, UInt64.max] {
      let session = try session(number)
      #expect(try reader.revocation(of: session) == store.revocation(of: session))
      #expect(try reader.isAnyRevoked([session]) == (store.revocation(of: session) != nil))
    }
    let asked = try [3, 2, 1, 2, 0].map { try session($0) }
    #expect(try reader.revoked(of: asked) == [session(2), session(1), session(2)])
    #expect(try reader.isAnyRevoked(asked))
    #expect(try reader.revoked(of: []) == [])
    #expect(try !reader.isAnyRevoked([]))
  }

  /// Each way to look leaves its statement differently.
  @Test(arguments: ["row", "any", "all"], [1, 2, 3])
  func `a session is refused as soon as its event is committed, within a round and behind it`(
    how: String, lookUpsPerRound: UInt64
  ) throws {
    for number in 1...30 as ClosedRange<UInt64> {
      for session in try [session(number), session(number - 1), session(number)] {
        _ = try look(session, how)
      }
      #expect(try !look(session(number), how))
      if number.isMultiple(of: lookUpsPerRound) { reader.roundEnded() }
      _ = try store.append([.revoking(number)])
      #expect(try look(session(number), how))
      if number.isMultiple(of: lookUpsPerRound + 1) { reader.roundEnded() }
    }
  }

  @Test(arguments: ["row", "any", "all"])
  func `what another process commits is seen from the next round on`(how: String) throws {
    let other = try RevocationStore(data: folder.data, mode: .amend)
    for number in 1...10 as ClosedRange<UInt64> {
      #expect(try !look(session(number), how))
      #expect(try number == 1 || look(session(number - 1), how))
      _ = try other.append([.revoking(number)])
      reader.roundEnded()
      #expect(try look(session(number), how))
      reader.roundEnded()
    }
  }

  private func look(_ session: SessionID, _ how: String) throws -> Bool {
    switch how {
    case "row": try reader.revocation(of: session) != nil
    case "any": try reader.isAnyRevoked([session])
    default: try reader.revoked(of: [session]) == [session]
    }
  }

  @Test func `between rounds nothing keeps the log from being folded into the database`() throws {
    _ = try store.append([.revoking(1)])
    #expect(try reader.isAnyRevoked([session(1)]))
    _ = try store.append([.revoking(2)])
    reader.roundEnded()
    reader.roundEnded()
    try store.write { _ in }
    try store.close()
    let log = try? Data(contentsOf: URL(filePath: folder.database + "-wal"))
    #expect(log?.isEmpty != false)
  }

  @Test func `it does not answer from a file that is no longer the one at its path`() throws {
    _ = try store.append([.revoking(1)])
    #expect(try reader.isAnyRevoked([session(1)]))
    reader.roundEnded()
    try FileManager.default.moveItem(atPath: folder.database, toPath: folder.path + "/elsewhere")
    #expect(throws: StoreError.replaced(path: folder.database)) { try reader.isAnyRevoked([session(1)]) }
    try FileManager.default.moveItem(atPath: folder.path + "/elsewhere", toPath: folder.database)
    #expect(try reader.isAnyRevoked([session(1)]))
  }

  @Test func `a page that makes no sense is an error, and stays one`() throws {
    _ = try store.append((1...2000).map { try .revoking($0) })
    try store.close()
    // Everything behind the header and the schema.
    var bytes = try Data(contentsOf: URL(filePath: folder.database))
    for offset in 4096..<bytes.count { bytes[offset] = 0xA5 }
    try bytes.write(to: URL(filePath: folder.database))
    let damaged = try? RevocationStore(data: folder.data, mode: .serve)
    // Found at the opening, or by the first look-up.
    guard let damaged else { return }
    let reader = LookUpReader(damaged)
    for _ in 0..<2 {
      #expect(throws: StoreError.self) { try reader.isAnyRevoked([session(1)]) }
      #expect(throws: StoreError.self) { try reader.revocation(of: session(5000)) }
    }
  }

  @Test func `a failed look-up does not stand in the way of the next one`() throws {
    _ = try store.append([.revoking(1)])
    try store.write { try $0.execute("ALTER TABLE revocation RENAME TO gone") }
    #expect(throws: StoreError.self) { try reader.isAnyRevoked([session(1)]) }
    try store.write { try $0.execute("ALTER TABLE gone RENAME TO revocation") }
    #expect(try reader.isAnyRevoked([session(1)]))
  }
}
