import Foundation
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct StoreWatchTests {
  @Test(.timeLimit(.minutes(2)))
  func `who closes the file after opening it for writing is noticed, again and again`() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("", to: "file")
    let (news, told) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let watch = try StoreWatch(path) { told.yield() }
    var iterator = news.makeAsyncIterator()
    for _ in 0..<3 {
      try FileHandle(forUpdating: URL(filePath: path)).close()
      #expect(await iterator.next() != nil)
    }
    watch.cancel()
  }

  @Test func `what is not there cannot be watched`() throws {
    #expect(throws: StoreError.io(path: "/nowhere", cause: "it cannot be watched: No such file or directory")) {
      try StoreWatch("/nowhere") {}
    }
  }
}
