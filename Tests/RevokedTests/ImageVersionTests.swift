import Foundation
import Receiver
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ImageVersionTests {
  @Test func `The image is labelled with the program's version`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let lines = try String(contentsOf: root.appending(path: "Dockerfile"), encoding: .utf8).split(separator: "\n")
    #expect(lines.contains("ARG VERSION=\(Receiver.version)"))
  }
}
