import Foundation
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct ReplacedFileTests {
  @Test(arguments: ["", "-wal", "-shm"], [false, true])
  func `what is written to a file that is no longer there is not acknowledged`(file: String, isReplaced: Bool) throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    _ = try store.append([.revoking(1)])
    try FileManager.default.removeItem(atPath: folder.database + file)
    if isReplaced { #expect(FileManager.default.createFile(atPath: folder.database + file, contents: nil)) }
    #expect(throws: StoreError.replaced(path: folder.database)) { try store.append([.revoking(2)]) }
    #expect(throws: StoreError.replaced(path: folder.database)) { try store.probeWritable() }
    // Not "not revoked", whenever the reader's connection is opened.
    #expect(throws: StoreError.replaced(path: folder.database)) { try LookUpReader(store).revocation(of: session(1)) }
    #expect(throws: StoreError.replaced(path: folder.database)) { try store.feed(after: 0, limit: 9, at: time(0)) }
  }
}
