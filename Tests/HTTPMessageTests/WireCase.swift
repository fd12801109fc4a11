import Foundation
import Testing

/// A case of `Fixtures/*.md`: the bytes of one connection, and what a server makes of them.
struct WireCase: Sendable, CustomTestStringConvertible {
  /// The fixture's name, `fields.md`, and the heading's line in it.
  var file: String
  var line: Int
  var title: String
  var wire: [UInt8]
  /// One line for each outcome.
  var outcomes: [String]

  var testDescription: String { "\(file):\(line) \(title)" }

  /// One issue for the case, at its heading: the first failure, and how many more there are.
  func report(_ failures: [String]) {
    guard let first = failures.first else { return }
    let location = SourceLocation(
      fileID: "HTTPMessageTests/\(file)", filePath: "Tests/HTTPMessageTests/Fixtures/\(file)", line: line, column: 1)
    Issue.record(
      "\(first), not \(outcomes); \(failures.count - 1) more. Input: \(Wire.text(of: wire))", sourceLocation: location)
  }

  /// Every case, or what is wrong with the fixtures.
  static let loaded = Result { () throws in
    guard let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil) else {
      throw FixtureError(description: "the fixtures are missing")
    }
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    return try files.filter { $0.pathExtension == "md" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .flatMap { try parse(String(contentsOf: $0, encoding: .utf8), file: $0.lastPathComponent) }
  }

  /// Empty when the fixtures cannot be read; a test of its own says so.
  static let all = (try? loaded.get()) ?? []
}

struct FixtureError: Error, CustomStringConvertible {
  var description: String
}
