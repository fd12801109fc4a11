internal import ArgumentParser
internal import Foundation

/// A body's exact bytes, as `sign` and `verify` read them.
enum StandardInput {
  static func readAll() throws -> [UInt8] {
    if isatty(STDIN_FILENO) == 1 {
      try FileHandle.standardError.write(
        contentsOf: Data("reading the body from the terminal; end it with Ctrl-D\n".utf8))
    }
    do {
      return [UInt8](try FileHandle.standardInput.readToEnd() ?? Data())
    } catch {
      throw Failure.io("cannot read standard input: \(error.localizedDescription)")
    }
  }
}
