import Foundation
import TestSupport
import Testing

@testable import RevocationStore

@Suite struct ReplacedFileTests {
  @Test(arguments: ["removed", "replaced"])
  func `what is written to a file that is no longer there is not acknowledged`(how: String) throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append([.revoking(1)])
    try FileManager.default.removeItem(atPath: folder.database)
    if how == "replaced" { #expect(FileManager.default.createFile(atPath: folder.database, contents: nil)) }
    #expect(throws: StoreError.replaced(path: folder.database)) { try store.append([.revoking(2)]) }
    #expect(throws: StoreError.replaced(path: folder.database)) { try store.probeWritable() }
  }
}
