import Glibc
import KeyIndex
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct VerificationTests {
  private static let limits = KeyIndexLimits(recent: 5, fanout: 2)
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits)
    for number in UInt64(1)...60 { _ = try store.append([.revoking(number)]) }
    _ = try store.append([.undecodable(100)])
    let handler = try store.handlerPosition(registering: "log", at: time(1)).id
    try store.record(
      [
        Attempt(event: 1, number: 1, at: time(2), outcome: .failed(error: "e", retryAt: time(9))),
        Attempt(event: 2, number: 1, at: time(2), outcome: .dead(error: "e")),
      ], handler: handler)
    try store.close()
  }

  @Test func `a whole store has no faults, beside a server and without one, and says how far it is`() throws {
    #expect(try faults() == [])
    let server = try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits)
    _ = try server.append([.revoking(61)])
    var stages: [StoreStage] = []
    let faults = try RevocationStore(data: folder.data, mode: .inspect).findFaults { stage, done, total in
      #expect(done <= total)
      if stages.last != stage { stages.append(stage) }
    }
    #expect(faults == [])
    #expect(stages == [.pages, .counts, .events, .revocations])
  }

  @Test(
    arguments: [
      ("UPDATE tally SET events = events + 1", "events: 62 noted, 61 found"),
      ("UPDATE tally SET revocations = 0", "revocations: 0 noted, 60 found"),
      ("UPDATE tally SET undecodable = 2", "undecodable events: 2 noted, 1 found"),
      ("UPDATE handler SET retrying = 3", "retries of handler log: 3 noted, 1 found"),
      ("UPDATE handler SET dead = 0", "dead deliveries of handler log: 0 noted, 1 found"),
      ("UPDATE delivery SET handler_id = 9", "deliveries of no handler: 0 noted, 2 found"),
      ("UPDATE tally SET last_event = 60", "events given out: 60 noted, 61 found"),
      ("UPDATE handler SET position = 70", "events given out: 61 noted, 70 found"),
      ("UPDATE tally SET last_revocation = 59", "numbers of the feed given out: 59 noted, 60 found"),
      ("DELETE FROM key_block", "the index lacks one of its blocks"),
      ("DELETE FROM key_run WHERE id = (SELECT min(id) FROM key_run)", "the index lacks one of its runs"),
      ("UPDATE key_run SET checksum = checksum + 1", "a run of the index is malformed"),
      ("UPDATE revocation SET session = randomblob(16) WHERE seq = 7", "row 7 is not found by its key"),
      ("UPDATE event SET key = x'01' WHERE seq = 7", "row 7 has a key that is malformed"),
      ("INSERT INTO key_block VALUES ((SELECT max(id) FROM key_block) + 1, x'', 0)", "blocks that do not belong to it"),
      ("DROP TABLE delivery", "no such table"),
    ])
  func `a fault is found and named, and rebuilding mends it where the rows are whole`(damage: String, text: String)
    throws
  {
    try Connection.outside(folder).execute(damage)
    let found = try faults()
    #expect(found.contains { $0.contains(text) }, "\(found)")
    // A key that is wrong itself, or a table that is gone, cannot be made from anything.
    let isOfRows = damage.hasPrefix("UPDATE event") || damage.hasPrefix("DROP")
    let store = try RevocationStore(data: folder.data, mode: .repair, keyIndex: Self.limits)
    if isOfRows {
      _ = try? store.rebuild { _, _, _ in }
    } else {
      #expect(try store.rebuild { _, _, _ in } == 121)
    }
    try store.close()
    #expect(try faults().isEmpty == !isOfRows)
  }

  @Test func `without any run the index is only older than the rows, which is no fault while they are few`() throws {
    try Connection.outside(folder).execute("DELETE FROM key_run; DELETE FROM key_block")
    #expect(try faults() == [])
  }

  @Test func `a rebuilding says how far it is, leaves the rows as they are, and needs the folder alone`() throws {
    try Connection.outside(folder).execute("DELETE FROM key_block")
    let server = try RevocationStore(data: folder.data, mode: .serve, keyIndex: Self.limits)
    #expect(throws: StoreError.locked(path: folder.data, pid: getpid())) {
      try RevocationStore(data: folder.data, mode: .repair)
    }
    try server.close()
    let rows = { try Connection.outside(self.folder).text("SELECT group_concat(hex(session) || seq) FROM revocation") }
    let before = try rows()
    let store = try RevocationStore(data: folder.data, mode: .repair, keyIndex: Self.limits)
    var percents: [Int] = []
    #expect(
      try store.rebuild { stage, done, total in if stage == .index { percents.append(done * 100 / total) } } == 121)
    #expect(percents.count > 5 && percents == percents.sorted() && percents.allSatisfy { 0...100 ~= $0 })
    try store.close()
    #expect(try faults() == [])
    #expect(try rows() == before)
    #expect(throws: StoreError.readOnly(path: folder.database)) {
      try RevocationStore(data: folder.data, mode: .inspect).rebuild { _, _, _ in }
    }
    #expect(throws: StoreError.missing(path: folder.path + "/none/revoked.sqlite")) {
      try RevocationStore(data: folder.path + "/none", mode: .repair)
    }
  }

  private func faults() throws -> [String] {
    let store = try RevocationStore(data: folder.data, mode: .inspect)
    let faults = try store.findFaults { _, _, _ in }
    try store.close()
    return faults
  }
}
