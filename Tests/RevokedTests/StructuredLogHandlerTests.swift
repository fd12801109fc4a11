import Foundation
import Logging
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct StructuredLogHandlerTests {
  private struct Failure: Error, CustomStringConvertible {
    let description = "no space left"
  }

  private let pipe = LogPipe()
  private let sink: LogSink

  init() {
    sink = LogSink(descriptor: pipe.writeEnd, format: .json, level: .info)
  }

  private func written() throws -> [String: String] {
    sink.flush()
    return try JSONDecoder().decode([String: String].self, from: Data(pipe.read()))
  }

  @Test func `What is nearer to the event wins`() throws {
    let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
    var logger = Logger(label: "test") { _ in StructuredLogHandler(sink, metadataProvider: provider) }
    logger[metadataKey: "a"] = "logger"
    logger[metadataKey: "b"] = "logger"
    logger[metadataKey: "c"] = "logger"
    logger.error("failed", error: Failure(), metadata: ["b": "event"])
    let line = try written()
    #expect(line["message"] == "failed")
    #expect(line["level"] == "error")
    #expect(line["a"] == "provider")
    #expect(line["b"] == "event")
    #expect(line["c"] == "logger")
    #expect(line["error"] == "no space left")
    #expect(line["time"]?.count == 24)
  }

  @Test(arguments: Logger.Level.allCases)
  func `The level changes for all loggers at run time, but for one that has its own`(level: Logger.Level) {
    let logger = Logger(label: "shared") { _ in StructuredLogHandler(sink) }
    var own = logger
    own.logLevel = .trace
    sink.level = level
    #expect(sink.level == level)
    #expect(logger.logLevel == level)
    #expect(own.logLevel == .trace)
  }
}
