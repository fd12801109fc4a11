import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("A server that is reloaded, reached and started anew", .timeLimit(.minutes(3)))
struct ServeReachTests {
  @Test func `a reload that hangs on a pipe holds up no stop`() throws {
    let folder = try TemporaryFolder()
    let secrets = try folder.write(Executable.secret + "\n", to: "secrets")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": secrets])
    try FileManager.default.removeItem(atPath: secrets)
    // A String lent to C lives as long as the call.
    #expect(unsafe mkfifo(secrets, 0o600) == 0)
    server.signal(SIGHUP)
    // Only the reload opens it: that this succeeds says that the reload waits.
    let writer = eventuallyOpened(secrets)
    #expect(writer >= 0)
    defer { close(writer) }
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  /// Opens a pipe for writing once somebody reads it.
  private func eventuallyOpened(_ path: String) -> Int32 {
    var descriptor: Int32 = -1
    _ = eventually {
      descriptor = unsafe open(path, O_WRONLY | O_NONBLOCK)
      return descriptor >= 0
    }
    return descriptor
  }

  @Test func `aliases as keys are refused at once, and aliases as values are taken`() throws {
    let folder = try TemporaryFolder()
    var text = "a0: &a0 [x, x]\n"
    for level in 1...30 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    for key in ["*a30 : 1\n", "? *a30\n: 1\n", "? [*a30]\n: 1\n", "limits: {[*a30]: 1}\n"] {
      let file = try folder.write(text + key, to: "revoked.yaml")
      let result = try Executable.run(["config", "check", "--config", file])
      #expect(result.status == 78)
      #expect(result.errors.contains("a key must be a word"), "\(result.errors)")
    }
    let file = try folder.write(
      "handlers:\n  a: {kind: log, events: &e [\"user.*\"]}\n  b: {kind: log, events: *e}\n", to: "revoked.yaml")
    #expect(try Executable.run(["config", "check", "--config", file]).status == 0)
  }

  @Test(
    arguments: ["127.0.0.1:0", "0.0.0.0:0", "*:0", "localhost:0", "unix:private.sock"]
      + (hasIPv6 ? ["[::]:0", "[::1]:0"] : []))
  func `healthcheck finds the server whose address only its command line or the kernel knows`(address: String) throws {
    let folder = try TemporaryFolder()
    let listen = address.hasPrefix("unix:") ? "unix:\(folder.path)/private.sock" : address
    let server = try RunningServer(in: folder, arguments: ["--private-listen", listen])
    let result = try Executable.run("healthcheck", "--data", folder.data)
    #expect(result.status == 0, "\(result.output)")
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.data + "/serve.json")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.data + "/serve.json"))
  }

  /// Whether this host has ::1, really tried.
  static let hasIPv6 = (try? Listener(.tcp(host: "::1", port: 0))) != nil

  @Test(.enabled(if: hasIPv6, "this machine has no ::1"))
  func `the log names each address`() throws {
    let server = try RunningServer(in: TemporaryFolder(), arguments: ["--listen", "*:0"])
    guard case .tcp("0.0.0.0", let port) = server.address else {
      Issue.record("\(server.address)")
      return
    }
    #expect(server.log.wait { $0.contains("listening public=http://[::]:\(port) path=/webhooks/dynamic") })
  }

  @Test(
    arguments: ["OPTIONS", "HEAD", "GET"],
    ["HTTP/1.0\r\n\r\n", "HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n"])
  func `health checks are answered as load balancers send them by default`(method: String, rest: String) throws {
    let server = try RunningServer(in: TemporaryFolder())
    for (path, address) in [
      ("/healthz", server.address), ("/livez", server.privateAddress), ("/readyz", server.privateAddress),
    ] {
      let answer = try server.answer(to: "\(method) \(path) \(rest)", on: address)
      #expect(answer.status == 200, "\(path)")
      #expect(answer.body.isEmpty == (method == "HEAD"))
      let refused = try server.answer(to: "PUT \(path) \(rest)", on: address)
      #expect(refused.status == 405 && refused.field("Allow") == "GET, HEAD, OPTIONS")
    }
  }

  @Test(arguments: [SIGUSR1, SIGUSR2])
  func `signals that are for other servers end nothing`(signal: Int32) throws {
    let server = try RunningServer(in: TemporaryFolder())
    server.signal(signal)
    #expect(try server.get("/readyz").status == 200)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  @Test func `init makes a store once, and new-store: refuse starts on no other`() throws {
    let folder = try TemporaryFolder()
    let refused = try Executable.serve(
      ["--set", "new-store=refuse"], environment: StartupTests.settings(folder))
    #expect(refused.status == 74)
    #expect(refused.errors.hasPrefix("revoked: there is no store at \(folder.database), and new-store is refuse"))
    #expect(!FileManager.default.fileExists(atPath: folder.data))
    let made = try Executable.run("init", "--data", folder.data, environment: [:])
    #expect(made.status == 0)
    #expect(made.output == "made the store \(folder.database)\n")
    let again = try Executable.run("init", "--data", folder.data, environment: [:])
    #expect(again.status == 0)
    #expect(again.output == "the store is there already: \(folder.database)\n")
    let server = try RunningServer(in: folder, arguments: ["--set", "new-store=refuse"])
    #expect(try server.get("/readyz").status == 200)
    // Beside a server, too.
    #expect(try Executable.run("init", "--data", folder.data, environment: [:]).output == again.output)
  }

  @Test(arguments: ["/dev/full", "pipe", "link", "dangling"])
  func `backup --force replaces nothing but a regular file`(name: String) throws {
    let store = try SeededStore(events: 1)
    let target = name.hasPrefix("/") ? name : "\(store.folder.path)/\(name)"
    switch name {
    case "pipe": #expect(unsafe mkfifo(target, 0o600) == 0)
    case "link":
      let file = try store.folder.write("kept", to: "kept")
      try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: file)
    case "dangling": try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: "/nowhere")
    default: break
    }
    let before = try FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
    let result = try Executable.run("backup", "--force", target, "--data", store.folder.data, environment: [:])
    #expect(result.status == 74)
    #expect(result.errors.contains("it is no regular file"), "\(result.errors)")
    #expect(try FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType == before)
  }

  @Test func `config show keeps the query of a forward URL to itself`() throws {
    let result = try Executable.run(
      "config", "show", "--set", "handlers.a.kind=forward", "--set", "handlers.a.url=https://h.example/x?token=abc123",
      environment: ["REVOKED_HANDLERS_A_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("https://h.example/x?(redacted)") && !result.output.contains("abc123"))
  }

  @Test(arguments: [
    ("127.0.0.1:80800", "has a port above 65535"), ("8080", "write 127.0.0.1:8080"),
    (":8080", "write 127.0.0.1:8080"),
    ("127.0.0.1", "lacks a port; write 127.0.0.1:8080"), ("::1:8080", "write [ADDRESS]:PORT"),
    ("http://127.0.0.1:80", "is a URL; write HOST:PORT"), ("/run/x.sock", "write unix:/run/x.sock"),
  ])
  func `an address that is none says what to write`(text: String, hint: String) throws {
    let result = try Executable.run(["config", "check", "--listen", text])
    #expect(result.status == 78)
    #expect(result.errors.contains(hint), "\(result.errors)")
  }

  @Test func `a value from the environment that is no UTF-8 is refused, whichever it is`() throws {
    for variable in ["DYNAMIC_WEBHOOK_SECRET", "REVOKED_PATH"] {
      let process = Executable.process(
        ["-c", #"export \#(variable)=$'\xff/aaaaaaaaaaaaaaaaaaaaaaaa'; exec "$0" config check"#, Executable.url.path],
        ["DYNAMIC_WEBHOOK_SECRET": Executable.secret])
      process.executableURL = URL(filePath: "/bin/bash")
      let result = try Executable.finish(process)
      #expect(result.status == 78)
      #expect(result.errors.contains("revoked: \(variable): is not UTF-8 text\n"), "\(result.errors)")
    }
  }
}
