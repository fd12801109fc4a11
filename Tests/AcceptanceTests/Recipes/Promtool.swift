import Foundation
import TestSupport

/// Prometheus' own checker. `apt-get install prometheus` brings it.
enum Promtool {
  static let path = "/usr/bin/promtool"

  static func run(_ arguments: String..., input: String? = nil, in folder: TemporaryFolder? = nil) throws
    -> Executable.Result
  {
    let process = Executable.process(arguments, [:])
    process.executableURL = URL(filePath: path)
    if let input, let folder {
      process.standardInput = FileHandle(forReadingAtPath: try folder.write(input, to: "input"))
    }
    // The rules' own tests are 15 s of computing.
    return try Executable.finish(process, within: 240)
  }
}
