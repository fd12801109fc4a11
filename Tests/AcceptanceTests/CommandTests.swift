import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("The commands", .timeLimit(.minutes(5)))
struct CommandTests {
  static let unknownSession = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c11"

  @Test(arguments: Vector.all)
  func `sign prints the documented signature of the exact bytes`(vector: Vector) throws {
    let result = try Executable.run("sign", input: vector.body)
    #expect(result.status == 0)
    #expect(result.output == vector.signature + "\n")
    #expect(result.errors == "")
  }

  static let verified: [(String, String, String, Int, String)] = [
    ("the documented one", Vector.ping.signature, Vector.ping.text, 0, "Secret 1 of 1 matches."),
    (
      "a newline that an editor or echo added", Vector.ping.signature, Vector.ping.text + "\n", 1,
      "A trailing newline (LF) was added to the body after it was signed."
    ),
    (
      "white space that a JSON library added", Vector.ping.signature, Vector.ping.text.replacing("\":", with: "\": "),
      1,
      "white space was added"
    ),
    (
      "another prefix", Vector.ping.signature.replacing("sha256=", with: "sha1="), Vector.ping.text, 1, "sha256="
    ),
    ("another body", Vector.ping.signature, Vector.sessionRevoked.text, 1, "The body or the secret differs"),
  ]

  @Test(arguments: verified)
  func `verify answers by its exit status, and with --explain in words`(
    name: String, signature: String, body: String, status: Int, finding: String
  ) throws {
    let plain = try Executable.run("verify", "--signature", signature, input: Array(body.utf8))
    #expect(plain.status == Int32(status))
    #expect(plain.output == (status == 0 ? "valid\n" : "not valid\n"))
    let explained = try Executable.run("verify", "--signature", signature, "--explain", input: Array(body.utf8))
    #expect(explained.status == Int32(status))
    #expect(explained.output.contains(finding), "\(explained.output)")
    #expect(!explained.output.contains("dyn_"))
  }

  @Test(arguments: [["sign"], ["verify", "--signature", "x"], ["send"]])
  func `commands that sign or verify need a secret`(arguments: [String]) throws {
    let result = try Executable.run(arguments, environment: [:])
    #expect(result.status == 78)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("revoked: secrets: there is none; "))
  }

  @Test func `check answers 1 when none of the sessions is revoked, with the server running or not`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for isRunning in [true, false] {
      if !isRunning {
        server.signal(SIGTERM)
        #expect(server.end() == 0)
      }
      let result = try Executable.run("check", "--data", server.folder.data, Self.unknownSession)
      #expect(result.status == 1)
      #expect(result.output == "\(Self.unknownSession) not revoked\n")
      #expect(result.errors == "")
    }
  }

  @Test func `check reads what a killed server left`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    server.signal(SIGKILL)
    #expect(server.end() == SIGKILL)
    let result = try Executable.run("check", "--data", server.folder.data, Self.unknownSession, DeliveryTests.session)
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("\(Self.unknownSession) not revoked\n\(DeliveryTests.session) revoked at="))
  }

  @Test(arguments: [
    [DeliveryTests.session + "0"], [String(DeliveryTests.session.dropLast())], [DeliveryTests.session, "x"],
    [],
  ])
  func `check takes nothing but session ids`(sessions: [String]) throws {
    let result = try Executable.run(["check"] + sessions)
    #expect(result.status == 64)
    #expect(result.output == "")
  }

  @Test func `check without a store is an I/O error, and makes none`() throws {
    let folder = try TemporaryFolder()
    let result = try Executable.run("check", "--data", folder.data, Self.unknownSession)
    #expect(result.status == 74)
    #expect(result.output == "")
    #expect(result.errors == "revoked: there is no store at \(folder.database)\n")
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }

  @Test(arguments: [false, true])
  func `healthcheck asks the running server, over TCP and over a unix socket`(unix: Bool) throws {
    let folder = try TemporaryFolder()
    let arguments = unix ? ["--private-listen", "unix:\(folder.path)/private.sock"] : []
    let server = try RunningServer(in: folder, environment: StopTests.patient, arguments: arguments)
    let ask = { try Executable.run("healthcheck", "--private-listen", "\(server.privateAddress)", environment: [:]) }
    let ready = try ask()
    #expect(ready.status == 0)
    #expect(ready.output == "{\"ready\":true}\n")

    let delivery = try HalfSentDelivery(to: server.address)
    server.signal(SIGTERM)
    #expect(try eventually { try ask().status == 1 })
    #expect(try ask().output.contains("draining"))
    #expect(delivery.finish()?.status == 200)
    #expect(server.end() == 0)
    let gone = try ask()
    #expect(gone.status == 1)
    #expect(gone.output.hasPrefix("\(server.privateAddress) is not reachable: "))
  }

  @Test func `config check says ok, or every problem and 78`() throws {
    let good = try Executable.run("config", "check")
    #expect(good.status == 0)
    #expect(good.output.hasPrefix("configuration ok: 1 secret"))
    #expect(good.errors == "")
    let folder = try TemporaryFolder()
    let file = try folder.write("limits:\n  bodyy: 1\npath: hooks\n", to: "revoked.yaml")
    let bad = try Executable.run("config", "check", "--config", file, environment: [:])
    #expect(bad.status == 78)
    #expect(bad.output == "")
    #expect(bad.errors.contains("limits.bodyy") && bad.errors.contains("path") && bad.errors.contains("secrets"))
    #expect(bad.errors.filter { $0 == "\n" }.count == 3)
  }

  @Test func `config check says what is allowed and hardly meant`() throws {
    let result = try Executable.run(
      "config", "check", "--set", "retention=1h", "--set", "handlers.a.kind=exec", "--set",
      "handlers.a.command=/no/tool",
      "--set", "handlers.a.events=user.session.revokd")
    #expect(result.status == 0)
    #expect(
      result.errors.split(separator: "\n").map { $0.prefix { $0 != ";" } } == [
        "revoked: notice: retention (flag): a session's JWT lives up to 30 days",
        #"revoked: notice: handlers.a.events (flag): "user.session.revokd" matches no event that is known"#,
        #"revoked: notice: handlers.a.command (flag): "/no/tool" does not exist"#,
      ])
  }

  @Test(arguments: [false, true])
  func `config show prints every key and where it came from, and no secret`(json: Bool) throws {
    let token = "a-token-of-22-bytes-xx"
    let result = try Executable.run(
      ["config", "show", "--set", "limits.body=1MiB"] + (json ? ["--json"] : []),
      environment: [
        "DYNAMIC_WEBHOOK_SECRET": Executable.secret, "REVOKED_PRIVATE_TOKEN": token, "REVOKED_TIMEOUTS_DRAIN": "3s",
      ])
    #expect(result.status == 0)
    #expect(!result.output.contains("dyn_") && !result.output.contains(token))
    guard json else {
      #expect(result.output.contains("limits.body = 1MiB"))
      #expect(result.output.contains("# environment REVOKED_TIMEOUTS_DRAIN\n"))
      #expect(result.output.contains("secrets = (1 secret)"))
      return
    }
    let keys = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [String: Any]])
    #expect(keys["limits.body"]?["value"] as? String == "1MiB")
    #expect(keys["limits.body"]?["source"] as? String == "flag")
    #expect(keys["timeouts.drain"]?["source"] as? String == "environment REVOKED_TIMEOUTS_DRAIN")
    #expect(keys["listen"]?["source"] as? String == "default")
    #expect(keys["secrets"]?["count"] as? Int == 1)
    #expect(keys["private-token"]?["count"] as? Int == 1)
  }

  @Test func `the version is a number on stdout`() throws {
    let result = try Executable.run("--version", environment: [:])
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    #expect(result.errors == "")
  }

  @Test(arguments: [
    [], ["serve"], ["send"], ["sign"], ["verify"], ["check"], ["config"], ["config", "check"], ["config", "show"],
    ["healthcheck"], ["backup"], ["events"], ["events", "list"], ["events", "show"], ["dead"], ["dead", "list"],
    ["dead", "show"], ["dead", "replay"], ["dead", "discard"],
  ])
  func `every command explains itself on stdout`(command: [String]) throws {
    for arguments in [["help"] + command, command + ["--help"]] {
      let result = try Executable.run(arguments, environment: [:])
      #expect(result.status == 0)
      #expect(result.output.contains("USAGE: " + (["revoked"] + command).joined(separator: " ")))
      #expect(result.errors == "")
    }
  }

  @Test(arguments: [["nonsense"], ["--nonsense"], ["config", "nonsense"]])
  func `what is no command is a usage error`(arguments: [String]) throws {
    let result = try Executable.run(arguments, environment: [:])
    #expect(result.status == 64)
    #expect(result.output == "")
  }
}
