import DynamicEvents
import GRDB
import TestSupport
import Testing

@testable import RevocationStore

/// The runs of rows that were there first, as a migration writes them.
@Suite struct RunsBuilderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Runs of four are merged by four, and those again.
  @Test(arguments: [0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 100] as [UInt64])
  func `every row is found by its run, however many there are`(rows: UInt64) throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    if rows > 0 { _ = try store.append((1...rows).map { try .revoking($0) }) }
    try store.write { try RunsBuilder<RevocationCopy>.writeAll($0, chunk: 4) }
    try store.close()
    let opened = try RevocationStore(data: folder.data, mode: .serve)
    #expect(opened.revocations.recentCount == 0)
    #expect(opened.revocations.covered == Int64(rows))
    let levels = Dictionary(grouping: opened.revocations.runs, by: \.level).mapValues(\.count)
    let expected = [0: rows % 4 > 0 ? 1 : 0, 2: Int(rows / 4 % 4), 3: Int(rows / 16 % 4), 4: Int(rows / 64)]
    #expect(levels == expected.filter { $0.value > 0 })
    let reader = LookUpReader(opened)
    for number in 0...rows + 20 {
      #expect(try reader.isAnyRevoked([session(number)]) == (1 <= number && number <= rows))
    }
    let stray = "SELECT count(*) FROM key_block WHERE id >> 20 NOT IN (SELECT id FROM key_run)"
    #expect(try opened.read { try KeyRun<RevocationCopy>.fetchAbandoned($0) } == [])
    #expect(try opened.read { try Int.fetchOne($0, sql: stray) } == 0)
  }

  @Test func `what would have more blocks than can be told apart is not merged`() throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let filter = KeyFilter(keys: 1, bitsPerKey: 6)
    let runs = [BlockID.most / 2, BlockID.most / 2].map { count in
      KeyRun<EventPlace>(id: 1, level: 4, lastSeq: 1, fences: Array(repeating: 0, count: count), filter: filter)
    }
    #expect(try store.write { try KeyMerge(runs, level: 4, $0) == nil })
  }
}
