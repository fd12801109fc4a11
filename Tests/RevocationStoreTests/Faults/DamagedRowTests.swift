import KeyIndex
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct DamagedRowTests {
  @Test func `a row that lacks what every row has is damage, and no trap`() throws {
    let folder = try TemporaryFolder()
    let sound = try RevocationStore(data: folder.data, mode: .serve)
    _ = try sound.append([.revoking(1)])
    try sound.close()
    // As a flipped bit in a row's header would have it; SQLite itself checks such a thing at writing only.
    let database = try Connection.outside(folder)
    try database.execute("PRAGMA writable_schema = ON")
    try database.execute("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'revocation'")
    database.close()
    let damaging = try Connection.outside(folder)
    try damaging.execute("UPDATE revocation SET revoked_by = NULL")
    damaging.close()

    let store = try RevocationStore(data: folder.data, mode: .serve)
    let error = #expect(throws: StoreError.self) { try store.revocation(of: session(1)) }
    if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
    #expect(throws: StoreError.self) { try store.append([.revoking(2)]) }
  }

  @Test(
    arguments: [
      "tally SET last_event = 9223372036854775807", "tally SET last_event = -1",
      "tally SET events = 9223372036854775807",
      "tally SET last_revocation = 9223372036854775807", "tally SET revocations = 9223372036854775807",
      "tally SET undecodable = -9223372036854775808",
    ])
  func `a number that was never given out is damage, and no trap`(change: String) throws {
    let folder = try TemporaryFolder()
    let limits = KeyIndexLimits(recent: 5, fanout: 2)
    let sound = try RevocationStore(data: folder.data, mode: .serve, keyIndex: limits)
    for number in UInt64(1)...20 { _ = try sound.append([.revoking(number)]) }
    try sound.close()
    let database = try Connection.outside(folder)
    try database.execute("UPDATE \(change)")
    database.close()

    let error = #expect(throws: StoreError.self) {
      let store = try RevocationStore(data: folder.data, mode: .serve, keyIndex: limits)
      _ = try store.append([.revoking(21)])
    }
    if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
  }
}
