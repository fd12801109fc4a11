import Foundation
import TestSupport
import Testing

@Suite("The documented program that embeds the receiver", .timeLimit(.minutes(15)))
struct EmbeddingTests {
  private static let folder = Repository.root.appending(path: "Tests/Embedding")

  /// The build takes minutes the first time.
  @Test(
    .enabled(
      if: LongRun.isAsked || ProcessInfo.processInfo.environment["CI"] == "true",
      "it builds a package, which takes minutes: for CI, or REVOKED_LONG=1"))
  func `builds against the library product, gets a delivery to its handler, and ends on SIGTERM`() throws {
    let scratch = Repository.root.appending(path: ".build/embedding")
    let build = Process()
    build.executableURL = URL(filePath: "/usr/bin/env")
    build.arguments = [
      "swift", "build", "--package-path", Self.folder.path, "--scratch-path", scratch.path, "--product", "Embedding",
    ]
    // Its warnings are not the package's.
    build.environment = ProcessInfo.processInfo.environment.filter { $0.key != "CI" }
    try build.run()
    build.waitUntilExit()
    try #require(build.terminationStatus == 0)

    let folder = try TemporaryFolder()
    let program = Executable.process(
      [], ["DYNAMIC_WEBHOOK_SECRET": Executable.secret, "DATA": folder.data])
    program.executableURL = scratch.appending(path: "debug/Embedding")
    let pipe = Pipe()
    program.standardError = pipe
    try program.run()
    defer { if program.isRunning { kill(program.processIdentifier, SIGKILL) } }
    try pipe.fileHandleForWriting.close()
    let log = LogReader(pipe.fileHandleForReading)
    let address = try #require(log.address(after: "address="))
    let sent = try Executable.run(
      "send", "--session", DeliveryTests.session, "--url", "http://\(address)/webhooks/dynamic")
    #expect(sent.status == 0, "\(sent.output) \(sent.errors)")
    #expect(log.wait { $0.contains("closing the connections") && $0.contains(DeliveryTests.session) })
    kill(program.processIdentifier, SIGTERM)
    program.waitUntilExit()
    #expect(program.terminationStatus == 0, "\(log.text)")
  }

  @Test(arguments: ["Package.swift", "Sources/Embedding/main.swift"])
  func `stands in the article as it is built`(file: String) throws {
    let article = try String(
      contentsOf: Repository.root.appending(path: "Sources/Receiver/Receiver.docc/Embedding.md"), encoding: .utf8)
    #expect(try article.contains(String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)))
  }
}
