internal import Foundation

/// All that the configuration is made from. Nothing else is read, so a test injects the whole world.
struct ConfigurationInputs: Sendable {
  /// Keys as the table names them; of a repeated one the last counts.
  var flags: [(key: String, value: String)] = []
  var environment: [String: String] = [:]
  /// Our variables whose bytes are no UTF-8, and which therefore say something else than was meant.
  var unreadable: [String] = []
  /// `--config`; without it `$REVOKED_CONFIG` counts, and without that no file is needed.
  var file: String?
  /// Whether standard error is a terminal, which decides the default of `log.format`.
  var logsToTerminal = false
  /// A file's text. Throws a `Mismatch` that says why there is none.
  var readFile: @Sendable (String) throws(Mismatch) -> String = Self.contents
  /// Whether there is a file that this user may run; nil: there is none at all.
  var isExecutable: @Sendable (String) -> Bool? = Self.isExecutable
  /// The first line of a file, without its line feed, when it begins with `#!`.
  var interpreterLine: @Sendable (String) -> String? = Self.interpreterLine
  /// Whether every user of this machine may read the file.
  var isReadableByAll: @Sendable (String) -> Bool = FileAccess.isReadableByAll

  /// Those of this process.
  static var unreadableVariables: [String] {
    var names: [String] = []
    unsafe forEachVariable { name, value in
      // The bytes of one entry, which nothing writes to meanwhile.
      if unsafe String(validating: value, as: UTF8.self) == nil { names.append(name) }
    }
    return names.sorted()
  }

  /// Takes our variables out of the environment of this process, where `/proc` shows them to a handler's command: it
  /// has the same user. Their text is overwritten, since the kernel shows the memory that it was passed in. Called
  /// before there are threads.
  static func wipeVariables() {
    var names: [String] = []
    unsafe forEachVariable { name, value in
      unsafe value.update(repeating: 0)
      names.append(name)
    }
    for name in names { unsafe _ = unsetenv(name) }
  }

  /// Calls `body` with the name and the bytes behind the `=` of each of our variables.
  private static func forEachVariable(_ body: (String, UnsafeMutableBufferPointer<UInt8>) -> Void) {
    var entry: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe environ
    // The environment ends in a null pointer, each entry in a NUL.
    while let text = unsafe entry?.pointee {
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: text, count: strlen(text)).assumingMemoryBound(
        to: UInt8.self)
      let end = unsafe bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.count
      let name = unsafe String(decoding: bytes[..<end], as: UTF8.self)
      if name.hasPrefix("REVOKED_") || name.hasPrefix("DYNAMIC_") {
        unsafe body(name, UnsafeMutableBufferPointer(rebasing: bytes[min(end + 1, bytes.count)...]))
      }
      unsafe entry = entry?.advanced(by: 1)
    }
  }

  /// Bytes: thousands of times what a configuration takes, and less than a slip such as /dev/zero gives.
  private static let longestFile = 1 << 20

  private static func isExecutable(_ path: String) -> Bool? {
    var isFolder = ObjCBool(false)
    // The flag outlives the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    return !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: path)
  }

  private static func interpreterLine(_ path: String) -> String? {
    // No pipe: what is read of one is gone.
    guard let status = FileAccess.status(path), status.st_mode & S_IFMT == S_IFREG else { return nil }
    // As much as the kernel looks at.
    guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 256),
      head.starts(with: "#!".utf8)
    else { return nil }
    return String(decoding: head.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// The file's UTF-8 text.
  private static func contents(of path: String) throws(Mismatch) -> String {
    let bytes = try InputFile.bytes(of: path, atMost: longestFile)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Mismatch("\(path) is not UTF-8 text") }
    return text
  }
}
