import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Starting", .timeLimit(.minutes(5)))
struct StartupTests {
  /// A start that must fail, and what each line on stderr must say.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var arguments: [String] = []
    /// nil unsets.
    var environment: [String: String?] = [:]
    /// Becomes the file that `--config` names.
    var file: String?
    var status: Int32 = 78
    var lines: [String]

    init(
      _ testDescription: String, arguments: [String] = [], environment: [String: String?] = [:], file: String? = nil,
      status: Int32 = 78, lines: String...
    ) {
      self.testDescription = testDescription
      self.arguments = arguments
      self.environment = environment
      self.file = file
      self.status = status
      self.lines = lines
    }
  }

  static func settings(_ folder: TemporaryFolder) -> [String: String] {
    [
      "DYNAMIC_WEBHOOK_SECRET": Executable.secret, "REVOKED_LISTEN": "127.0.0.1:0",
      "REVOKED_PRIVATE_LISTEN": "127.0.0.1:0", "REVOKED_DATA": folder.data,
    ]
  }

  static let refusals = [
    Refusal(
      "no secret", environment: ["DYNAMIC_WEBHOOK_SECRET": nil],
      lines: "secrets: there is none; set DYNAMIC_WEBHOOK_SECRET"
    ),
    Refusal(
      "an empty secret", environment: ["DYNAMIC_WEBHOOK_SECRET": ""],
      lines: "secrets (DYNAMIC_WEBHOOK_SECRET): is empty"),
    Refusal(
      "a secret of white space", environment: ["DYNAMIC_WEBHOOK_SECRET": " \n"],
      lines: "secrets (DYNAMIC_WEBHOOK_SECRET): is empty"),
    Refusal(
      "a short secret", environment: ["DYNAMIC_WEBHOOK_SECRET": "dyn_15-bytes-xx"],
      lines: "secrets (DYNAMIC_WEBHOOK_SECRET): has 15 bytes; it needs at least 16"),
    Refusal(
      "a short secret beside a good one",
      environment: ["DYNAMIC_WEBHOOK_SECRET": "\(Executable.secret) dyn_15-bytes-xx"],
      lines: "secrets (DYNAMIC_WEBHOOK_SECRET): number 2 of 2 has 15 bytes"),
    Refusal(
      "a missing file of secrets", environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": "/nowhere/secret"],
      lines: "secrets (DYNAMIC_WEBHOOK_SECRET_FILE): /nowhere/secret does not exist"),
    Refusal(
      "an empty list of secrets in the file", environment: ["DYNAMIC_WEBHOOK_SECRET": nil], file: "secrets: []\n",
      lines: "secrets (<file>:1): is empty"),
    Refusal(
      "an unknown key in the environment", environment: ["REVOKED_LIMITS_BODYY": "1"],
      lines: "REVOKED_LIMITS_BODYY: no key has this variable; did you mean REVOKED_LIMITS_BODY?"),
    Refusal(
      "an unknown key in the file", file: "limits:\n  bodyy: 1\n",
      lines: "limits.bodyy (<file>:2): there is no such key; did you mean limits.body?"),
    Refusal(
      "an unknown key on the command line", arguments: ["--set", "limits.bodyy=1"],
      lines: "limits.bodyy (flag): there is no such key; did you mean limits.body?"),
    Refusal(
      "a secret on the command line", arguments: ["--set", "secrets=dyn_0123456789abcdef"],
      lines: "secrets (flag): a secret is not taken from the command line"),
    Refusal(
      "several problems",
      environment: [
        "DYNAMIC_WEBHOOK_SECRET": "dyn_15-bytes-xx", "REVOKED_NONSENSE": "1", "REVOKED_TIMEOUTS_IDLE": "75",
      ], file: "limits:\n  body: lots\n  bodyy: 1\npath: hooks\n",
      lines: "limits.bodyy (<file>:3): there is no such key", "REVOKED_NONSENSE: no key has this variable",
      "path (<file>:4): ", "limits.body (<file>:2): ", "timeouts.idle (REVOKED_TIMEOUTS_IDLE): ",
      "secrets (DYNAMIC_WEBHOOK_SECRET): has 15 bytes"),
    Refusal("a file that is not YAML", file: "limits: {\n", lines: "<file>:"),
    Refusal(
      "a file that breaks within a secret", environment: ["DYNAMIC_WEBHOOK_SECRET": nil],
      file: "listen: 127.0.0.1:0\nsecrets: [\"dyn_0123456789abcdef\n", lines: "<file>:"),
    Refusal("a file that is a list", file: "- listen\n", lines: "<file>:1: is not a mapping of keys to values"),
    Refusal(
      "a missing file", arguments: ["--config", "/nowhere/revoked.yaml"],
      lines: "--config: /nowhere/revoked.yaml does not exist"),
    Refusal(
      "a missing file in the environment", environment: ["REVOKED_CONFIG": "/nowhere/revoked.yaml"],
      lines: "REVOKED_CONFIG: /nowhere/revoked.yaml does not exist"),
    Refusal("a folder as the file", arguments: ["--config", "/"], lines: "--config: / is a folder; it must be a file"),
    Refusal(
      "one address for both listeners", arguments: ["--listen", "127.0.0.1:9", "--private-listen", "127.0.0.1:9"],
      lines: "private-listen (flag): 127.0.0.1:9 is the address of listen too"),
    Refusal(
      "an address of another machine", arguments: ["--listen", "192.0.2.1:0"], status: 74,
      lines: "cannot listen on 192.0.2.1:0: "),
  ]

  @Test(arguments: refusals)
  func `what is wrong is named, each problem in one line, and no secret with it`(_ refusal: Refusal) throws {
    let folder = try TemporaryFolder()
    let environment = Self.settings(folder).merging(refusal.environment.mapValues { $0 ?? "" }) { $1 }
      .filter { key, _ in refusal.environment[key] != .some(nil) }
    let file = try refusal.file.map { try folder.write($0, to: "revoked.yaml") }
    let result = try Executable.serve(
      refusal.arguments + (file.map { ["--config", $0] } ?? []), environment: environment)
    #expect(result.status == refusal.status)
    #expect(result.output == "")
    let lines = result.errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(lines.count == refusal.lines.count, "\(result.errors)")
    for (line, part) in zip(lines, refusal.lines) {
      #expect(line.hasPrefix("revoked: " + part.replacing("<file>", with: file ?? "")))
    }
    #expect(!result.errors.contains("dyn_"))
    if refusal.status == 78 { #expect(!FileManager.default.fileExists(atPath: folder.data)) }
  }

  @Test(arguments: [["--nonsense"], ["now"], ["--config"], ["--set", "limits.body"]])
  func `a slip on the command line is a usage error, and stdout stays empty`(arguments: [String]) throws {
    let result = try Executable.serve(arguments, environment: Self.settings(TemporaryFolder()))
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("Error: "))
  }

  @Test(arguments: ["--listen", "--private-listen"])
  func `a busy address is an I/O error that names it`(flag: String) throws {
    let running = try RunningServer(in: TemporaryFolder())
    let result = try Executable.serve(
      [flag, running.address.description], environment: Self.settings(TemporaryFolder()))
    #expect(result.status == 74)
    #expect(result.output == "")
    #expect(result.errors == "revoked: cannot listen on \(running.address): Address already in use\n")
    #expect(try running.get("/readyz").status == 200)
  }

  @Test func `a data folder that cannot be made is an I/O error that names it`() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write("", to: "file") + "/data"
    let result = try Executable.serve(["--data", data], environment: Self.settings(folder))
    #expect(result.status == 74)
    #expect(result.output == "")
    #expect(result.errors == "revoked: cannot use the data folder \(data): Not a directory\n")
  }

  @Test func `a second server on one folder is refused, and the first one goes on`() throws {
    let first = try RunningServer(in: TemporaryFolder())
    let result = try Executable.serve(environment: Self.settings(first.folder))
    #expect(result.status == 74)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("revoked: \(first.folder.data) is in use by another server (process "))
    #expect(result.errors.filter { $0 == "\n" }.count == 1)
    #expect(try first.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
  }

  @Test func `what is configured and hardly meant is told at the start, and at a reload`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_RETENTION": "1h"])
    let told = { (text: String) in
      text.components(separatedBy: "retention (REVOKED_RETENTION): a session's JWT").count - 1
    }
    #expect(server.log.wait { told($0) == 1 })
    server.signal(SIGHUP)
    #expect(server.log.wait { told($0) == 2 })
  }

  // A container may have no IPv6 at all, not even on its loopback interface; then there is nothing to listen on.
  @Test(
    .enabled(
      if: (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.contains(" lo\n") == true,
      "this machine has no IPv6 loopback address"))
  func `both listeners speak IPv6`() throws {
    let server = try RunningServer(
      in: TemporaryFolder(), arguments: ["--listen", "[::1]:0", "--private-listen", "[::1]:0"])
    #expect(server.address.description.hasPrefix("[::1]:"))
    #expect(try Executable.run("healthcheck", "--private-listen", "\(server.privateAddress)").status == 0)
    // The public listener does not know /readyz, and says so over IPv6.
    let elsewhere = try Executable.run("healthcheck", "--private-listen", "\(server.address)")
    #expect(elsewhere.status == 1)
    #expect(elsewhere.output.contains("Not Found"))
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func `both listeners serve unix sockets, whose files go when the server stops`(signal: Int32) throws {
    let folder = try TemporaryFolder()
    let paths = ["\(folder.path)/public.sock", "\(folder.path)/private.sock"]
    let arguments = ["--listen", "unix:\(paths[0])", "--private-listen", "unix:\(paths[1])"]
    let server = try RunningServer(in: folder, arguments: arguments)
    #expect(server.address == .unix(path: paths[0]))
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
    server.signal(signal)
    #expect(server.end() == 0)
    for path in paths { #expect(!FileManager.default.fileExists(atPath: path)) }
  }

  @Test func `a unix socket that a killed server left is replaced`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/public.sock"
    let killed = try RunningServer(in: folder, arguments: ["--listen", "unix:\(path)"])
    killed.signal(SIGKILL)
    #expect(killed.end() == SIGKILL)
    #expect(FileManager.default.fileExists(atPath: path))
    let server = try RunningServer(in: folder, arguments: ["--listen", "unix:\(path)"])
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
  }
}
