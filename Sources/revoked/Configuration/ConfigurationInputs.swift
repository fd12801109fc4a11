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
  /// Whether there is a file that this user may run; nil: there is none at all.
  var isExecutable: @Sendable (String) -> Bool? = Self.isExecutable

  /// Bytes: thousands of times what a configuration takes, and less than a slip such as /dev/zero gives.
  private static let longestFile = 1 << 20

  private static func isExecutable(_ path: String) -> Bool? {
    var isFolder = ObjCBool(false)
    // The flag outlives the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    return !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: path)
  }

  /// The file's UTF-8 text.
  private static func contents(of path: String) throws(Mismatch) -> String {
    let data: Data
    do {
      // Not `Data(contentsOf:)`, which says of a pipe or a device that it may not be read.
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      data = try file.read(upToCount: longestFile + 1) ?? Data()
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw Mismatch("\(path) does not exist")
    } catch let error as CocoaError where error.code == .fileReadNoPermission {
      throw Mismatch("\(path) may not be read by this user")
    } catch {
      throw Mismatch("\(path) cannot be read; it must be a file")
    }
    guard data.count <= longestFile else { throw Mismatch("\(path) has more than \(longestFile) bytes") }
    guard let text = String(data: data, encoding: .utf8) else { throw Mismatch("\(path) is not UTF-8 text") }
    return text
  }
}
