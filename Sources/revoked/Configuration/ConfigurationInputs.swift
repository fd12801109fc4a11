internal import Foundation

/// All that the configuration is made from. Nothing else is read, so a test injects the whole world.
struct ConfigurationInputs: Sendable {
  /// Keys as the table names them; of a repeated one the last counts.
  var flags: [(key: String, value: String)] = []
  var environment: [String: String] = [:]
  /// `--config`; without it `$REVOKED_CONFIG` counts, and without that no file is needed.
  var file: String?
  /// Whether standard error is a terminal, which decides the default of `log.format`.
  var logsToTerminal = false
  /// A file's text. Throws a `Mismatch` that says why there is none.
  var readFile: @Sendable (String) throws(Mismatch) -> String = Self.contents

  /// The file's UTF-8 text.
  private static func contents(of path: String) throws(Mismatch) -> String {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw Mismatch("\(path) does not exist")
    } catch let error as CocoaError where error.code == .fileReadNoPermission {
      throw Mismatch("\(path) may not be read by this user")
    } catch {
      throw Mismatch("\(path) cannot be read; it must be a file")
    }
    guard let text = String(data: data, encoding: .utf8) else { throw Mismatch("\(path) is not UTF-8 text") }
    return text
  }
}
