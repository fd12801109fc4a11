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

/// The `REVOKED_…` variables as values of their keys. The secrets have rules of their own and are left out.
struct ConfigurationEnvironment {
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []

  /// `REVOKED_CONFIG` names the file, `REVOKED_SECRETS` is read with the other secrets, and the rest is what our
  /// handlers hand to their children, which may well call `revoked` again.
  private static let others: Set<String> = [
    "REVOKED_CONFIG", "REVOKED_SECRETS", "REVOKED_EVENT_ID", "REVOKED_EVENT_NAME", "REVOKED_SESSION_ID",
  ]

  init(_ environment: [String: String]) {
    let services = Self.services(in: environment)
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("REVOKED_") {
      if Self.others.contains(variable) || services.contains(where: { Self.isInjected(variable, for: $0) }) { continue }
      do {
        let key = try ConfigurationNames.key(ofVariable: variable)
        values[key] = .text(text, .environment(variable))
      } catch {
        problems.append(ConfigurationProblem(variable, nil, error.text))
      }
    }
  }

  /// Kubernetes tells every container of every Service in its namespace; `revoked` and `revoked-private` are likely
  /// names.
  private static func services(in environment: [String: String]) -> [String] {
    let suffix = "_SERVICE_HOST"
    let told = environment.keys.filter { $0.hasPrefix("REVOKED_") && $0.hasSuffix(suffix) }
    return ["REVOKED"] + told.map { String($0.dropLast(suffix.count)) }
  }

  private static func isInjected(_ variable: String, for service: String) -> Bool {
    guard variable.hasPrefix(service + "_") else { return false }
    let rest = variable.dropFirst(service.count)
    return ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"].contains(rest) || rest.hasPrefix("_SERVICE_PORT_")
      || rest.hasPrefix("_PORT_")
  }
}

/// What the command line says.
struct ConfigurationFlags {
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []

  /// Of a repeated key the last counts, as with other commands.
  init(_ flags: [(key: String, value: String)]) {
    for (key, value) in flags {
      switch ConfigurationNames.meaning(of: key) {
      case .key(isSecret: false): values[key] = .text(value, .flag)
      case .key(isSecret: true):
        problems.append(
          ConfigurationProblem(key, .flag, "a secret is not taken from the command line, where every user can read it"))
      case .section: problems.append(ConfigurationProblem(key, .flag, "is a section; set one of its keys"))
      case .unknown(let text): problems.append(ConfigurationProblem(key, .flag, text))
      }
    }
  }
}
