internal import Foundation
internal import Glibc
internal import Synchronization

/// A PostgreSQL server of a test's own, in a folder and on a port of its own, ended with its last reference or with the
/// test's process, whichever is first.
package final class PostgreSQLServer: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Whose connections it takes, beside those of the unix socket.
  package enum Access: String, Sendable {
    case trust
    /// By `password`.
    case password = "scram-sha-256"
  }

  package static let password = "secret-of-a-test"

  /// Nothing is to be learnt from what a server of Debian's does: these are the binaries alone.
  private static let binaries: String? = {
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    guard let newest = versions.compactMap({ Int($0) }).max() else { return nil }
    return "/usr/lib/postgresql/\(newest)/bin"
  }()

  private static let template = Mutex<TemporaryFolder?>(nil)
  private static let common = Mutex<PostgreSQLServer?>(nil)

  package let port: UInt16
  package let data: String
  private let folder: TemporaryFolder
  private let settings: Mutex<[String]>
  private let child = Mutex<Process?>(nil)
  private let databases = Mutex(0)

  /// One for all tests that harm none; started at the first call, and left to end with the process.
  package static func shared() throws -> PostgreSQLServer {
    try common.withLock { server in
      if let server { return server }
      let new = try PostgreSQLServer()
      server = new
      return new
    }
  }

  /// - Parameters:
  ///   - settings: as in `postgresql.conf`, `name=value`.
  ///   - primary: the server to follow as a streaming standby, which is copied from it.
  ///   - port: one that was free a moment ago; else any.
  ///   - place: the folder that its data are in; else a temporary one.
  ///   - neighbour: another address that may connect without a password; without one, the server listens on 127.0.0.1
  ///     alone.
  ///   - certificate: makes it speak TLS: a folder with `server.crt` and `server.key`.
  package init(
    settings: [String] = [], access: Access = .trust, following primary: PostgreSQLServer? = nil,
    port: UInt16? = nil, in place: String? = nil, trusting neighbour: String? = nil, certificate: String? = nil
  ) throws {
    folder = try TemporaryFolder()
    data = (place ?? folder.path) + "/db"
    self.port = try port ?? Self.freePort()
    var settings = settings
    try Self.give(folder.path)
    if let primary {
      try Self.run(
        "pg_basebackup", ["-D", data, "-d", "host=127.0.0.1 port=\(primary.port) user=postgres", "-c", "fast", "-R"])
    } else {
      try Self.copyTemplate(to: data)
      var rules = """
        local all all trust
        host replication all 127.0.0.1/32 trust
        host all all 127.0.0.1/32 \(access.rawValue)
        """
      if let neighbour {
        rules += "\nhost all all \(neighbour)/32 trust"
        settings.append("listen_addresses=*")
      }
      try Data(rules.utf8).write(to: URL(filePath: data + "/pg_hba.conf"))
    }
    if let certificate {
      for name in ["server.crt", "server.key"] {
        try FileManager.default.copyItem(atPath: "\(certificate)/\(name)", toPath: "\(data)/\(name)")
        unsafe chmod("\(data)/\(name)", 0o600)
        try Self.give("\(data)/\(name)")
      }
      settings.append("ssl=on")
    }
    self.settings = Mutex(settings)
    try start()
  }

  deinit { try? stop(SIGQUIT) }

  /// Where its unix socket is.
  package var socketFolder: String { folder.path }

  package var process: Int32? { child.withLock { $0 == nil ? nil : Self.postmaster(data) } }

  package func url(
    _ database: String = "postgres", user: String = "postgres", host: String = "127.0.0.1", parameters: String = ""
  ) -> String {
    "postgres://\(user)@\(host):\(port)/\(database)\(parameters.isEmpty ? "" : "?" + parameters)"
  }

  /// Returns the URL of a new, empty database.
  package func makeDatabaseURL() throws -> String { url(try makeDatabase()) }

  /// Returns the name of a new, empty database.
  package func makeDatabase() throws -> String {
    let name = databases.withLock { count in
      count += 1
      return "test_\(count)"
    }
    try run("CREATE DATABASE \(name)")
    return name
  }

  /// What `psql` prints for these statements, values separated by `|`.
  @discardableResult
  package func run(_ sql: String, in database: String = "postgres") throws -> String {
    try Self.run(
      "psql",
      [
        "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder.path, "-p", "\(port)", "-U", "postgres",
        "-d", database, "-c", sql,
      ])
  }

  /// Starts it, where it does not run, with these settings beside those that it had.
  package func start(settings more: [String] = []) throws {
    let settings = settings.withLock { settings in
      settings += more
      return settings
    }
    try child.withLock { child in
      guard child == nil else { return }
      let process = Process()
      // The shell ends the server when this process ends, however it does: then its input is closed.
      process.executableURL = URL(filePath: "/bin/bash")
      let own = [
        "port=\(port)", "listen_addresses=127.0.0.1", "unix_socket_directories=\(folder.path)",
        "shared_buffers=16MB", "max_connections=100", "max_wal_size=64MB", "logging_collector=off",
        "hot_standby_feedback=on", "wal_receiver_status_interval=1s",
      ]
      process.arguments =
        [
          "-c",
          // Without the pipes that it inherited: others' shells wait for their ends, and it would for its own. The
          // socket by which Foundation learns of its end stays.
          "for fd in /proc/$$/fd/*; do [ ${fd##*/} -gt 2 ] && [ -p $fd ] && eval \"exec ${fd##*/}>&-\"; done; "
            + "exec 3<&0; "
            + "\"$@\" </dev/null 3<&- & child=$!; read -r _ <&3; kill -QUIT $child; wait $child", "bash",
        ]
        + Self.command("postgres", ["-D", data] + (own + settings).flatMap { ["-c", $0] })
      process.standardInput = Pipe()
      let log = folder.path + "/log"
      if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
      let output = FileHandle(forWritingAtPath: log)
      output?.seekToEndOfFile()
      process.standardOutput = output
      process.standardError = output
      try process.run()
      child = process
    }
    let isReady = eventually {
      let status = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? ""
      return status.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(7).first?
        .trimmingCharacters(in: .whitespaces) == "ready"
    }
    guard isReady else { throw Failure(description: "the server does not start: \(log.suffix(2000))") }
  }

  /// Ends it: SIGINT in good order, SIGQUIT as a crash, SIGKILL as a worse one.
  package func stop(_ signal: Int32 = SIGINT) throws {
    try child.withLock { child in
      guard let process = child else { return }
      if let postmaster = Self.postmaster(data) {
        let backends = Self.children(of: postmaster)
        kill(postmaster, signal)
        // A backend that outlives the server keeps the memory that the next one would take.
        guard eventually({ ([postmaster] + backends).allSatisfy { !Self.isAlive($0) } }) else {
          throw Failure(description: "the server does not end: \(log.suffix(2000))")
        }
      }
      try? FileManager.default.removeItem(atPath: data + "/postmaster.pid")
      (process.standardInput as? Pipe)?.fileHandleForWriting.closeFile()
      child = nil
    }
  }

  /// Stops it and all of its processes where they stand, or lets them go on.
  package func pause(_ isPaused: Bool) {
    guard let process else { return }
    for each in [process] + Self.children(of: process) { kill(each, isPaused ? SIGSTOP : SIGCONT) }
  }

  /// Makes a standby a primary.
  package func promote() throws {
    try run("SELECT pg_promote(true, 30)")
  }

  package var log: String { (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? "" }

  // MARK: -

  /// PostgreSQL does not run as root.
  private static func command(_ program: String, _ arguments: [String]) -> [String] {
    asUser(["\(binaries ?? "/usr/bin")/\(program)"] + arguments)
  }

  static func asUser(_ command: [String]) -> [String] {
    guard getuid() == 0 else { return command }
    return ["/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + command
  }

  @discardableResult
  private static func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let command = command(program, arguments)
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    let output = Pipe()
    let errors = try TemporaryFolder()
    let text = errors.path + "/errors"
    try Data().write(to: URL(filePath: text))
    process.standardOutput = output
    process.standardError = FileHandle(forWritingAtPath: text)
    try process.run()
    try output.fileHandleForWriting.close()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(program): \((try? String(contentsOfFile: text, encoding: .utf8)) ?? "")")
    }
    return String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  private static func copyTemplate(to path: String) throws {
    let template = try template.withLock { template in
      if let template { return template }
      guard binaries != nil else {
        throw Failure(description: "there is no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
      }
      let folder = try TemporaryFolder()
      try give(folder.path)
      try run("initdb", ["-D", folder.path + "/db", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
      template = folder
      return folder
    }
    let copy = Process()
    copy.executableURL = URL(filePath: "/bin/cp")
    copy.arguments = ["-a", template.path + "/db", path]
    try copy.run()
    copy.waitUntilExit()
  }

  private static func give(_ path: String) throws {
    guard getuid() == 0, let user = unsafe getpwnam("nobody") else { return }
    unsafe chown(path, user.pointee.pw_uid, user.pointee.pw_gid)
  }

  /// Below the kernel's own range, so that no outgoing connection takes it meanwhile.
  static func freePort() throws -> UInt16 {
    for _ in 0..<200 {
      let port = UInt16.random(in: 20_000...32_000)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      // The address lives for the call, and its own size bounds it.
      let isFree = unsafe withUnsafePointer(to: &address) { address in
        unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isFree { return port }
    }
    throw Failure(description: "there is no free port")
  }

  private static func postmaster(_ data: String) -> Int32? {
    let status = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? ""
    return status.split(separator: "\n").first.flatMap { Int32($0) }
  }

  private static func children(of process: Int32) -> [Int32] {
    let text = (try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  /// One that has ended and was not yet waited for is not.
  private static func isAlive(_ process: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let state = status.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
  }
}
