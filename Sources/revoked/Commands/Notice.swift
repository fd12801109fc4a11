internal import Foundation

/// A line on stderr that is no failure.
enum Notice {
  static func say(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("revoked: \(text)\n".utf8))
  }
}
