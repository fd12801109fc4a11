import Foundation
import HTTPServer
import TestSupport
import Testing

/// A proxy's files in Config, and what must be changed in them to run them beside other tests.
struct Recipe: Sendable, CustomTestStringConvertible {
  /// Where the proxy stands in a test.
  struct Place {
    let folder: TemporaryFolder
    let port: UInt16
    let certificate: Certificate
    let webhook: ListenAddress
    let lookups: ListenAddress
    let application: ListenAddress
    /// revoked's private-token.
    var token: String?
    /// As the file says how to.
    var failsOpen = false
  }

  typealias Change = (from: String, to: String)

  let testDescription: String
  let program: String
  /// Paths in Config, the one that the program is told of last.
  let files: [String]
  /// For the paths of the files as changed.
  let arguments: @Sendable (_ files: [String], Place) throws -> [String]
  let changes: @Sendable (Place) -> [Change]

  var canRun: Bool {
    [program, Certificate.openssl, HTTPSClient.curl].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
  }

  func start(_ place: Place, on port: ReservedPort) throws -> ReverseProxy {
    let paths = try zip(files, changed(for: place)).map { file, text in
      try place.folder.write(text, to: URL(filePath: file).lastPathComponent)
    }
    return try ReverseProxy(
      program, try arguments(paths, place),
      // Where Caddy keeps what it remembers.
      environment: ["HOME": place.folder.path, "REVOKED_PRIVATE_TOKEN": place.token ?? ""], in: place.folder, on: port)
  }

  /// The files' texts. Every change must find its place in one of them, so that a file cannot drift away from its
  /// tests.
  func changed(for place: Place) throws -> [String] {
    var texts = try files.map { try Self.text(of: $0) }
    for (old, new) in changes(place) {
      try #require(texts.contains { $0.contains(old) }, "none of \(files) has: \(old)")
      texts = texts.map { $0.replacing(old, with: new) }
    }
    return texts
  }

  static func text(of file: String) throws -> String {
    try String(contentsOf: Repository.root.appending(path: "Config").appending(path: file), encoding: .utf8)
  }
}
