import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Stopping", .timeLimit(.minutes(5)))
struct StopTests {
  /// Nothing ends by itself: what a test sees is the signal's doing.
  static let patient = ["REVOKED_TIMEOUTS_BODY": "1h", "REVOKED_TIMEOUTS_DRAIN": "1h"]

  @Test(arguments: [SIGTERM, SIGINT])
  func `a delivery that has begun is finished, new connections are refused, and the private listener tells`(
    signal: Int32
  ) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: Self.patient)
    let idle = try Client(server.address)
    idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(idle.read(until: "ok").hasSuffix("ok"))
    let delivery = try HalfSentDelivery(to: server.address)
    server.signal(signal)

    #expect(try eventually { try server.get("/readyz").status == 503 })
    #expect(try server.get("/readyz").body == #"{"ready":false,"reason":"draining"}"#)
    #expect(eventually { (try? Client(server.address)) == nil })
    #expect(idle.read() == "")
    #expect(try server.get("/livez").status == 200)
    #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":false"#))

    let answer = try #require(delivery.finish())
    #expect(answer.status == 200)
    #expect(answer.body == #"{"status":"accepted"}"#)
    #expect(answer.field("Connection") == "close")
    #expect(server.end() == 0)
    #expect(server.log.text.contains(signal == SIGTERM ? "SIGTERM" : "SIGINT"))
    #expect(server.log.text.contains("stopped"))
    #expect(try Executable.run("check", "--data", server.folder.data, DeliveryTests.session).status == 0)
  }

  @Test func `an attempt of a handler that has begun is finished, and is not made again`() throws {
    let folder = try TemporaryFolder()
    let (gate, marks) = (folder.path + "/gate", folder.path + "/marks")
    // A String lent to C lives as long as the call.
    try #require(unsafe mkfifo(gate, 0o600) == 0)
    let script = "echo begun >> \(marks); read line < \(gate); echo ended >> \(marks)"
    let server = try RunningServer(
      in: folder,
      environment: Self.patient.merging([
        "REVOKED_HANDLERS_SLOW_KIND": "exec", "REVOKED_HANDLERS_SLOW_TIMEOUT": "1h",
        "REVOKED_HANDLERS_SLOW_COMMAND": #"["sh", "-c", "\#(script)"]"#,
      ]) { $1 })
    let written = { (try? String(contentsOfFile: marks, encoding: .utf8)) ?? "" }
    let vector = Vector.sessionRevoked
    #expect(try server.post(vector.text, signature: vector.signature).status == 200)
    #expect(eventually { written() == "begun\n" })
    server.signal(SIGTERM)
    #expect(try eventually { try server.get("/readyz").status == 503 })
    #expect(eventually { (try? Client(server.address)) == nil })
    try Data("go on\n".utf8).write(to: URL(filePath: gate))
    #expect(server.end() == 0)
    #expect(written() == "begun\nended\n")
    let shown = try Executable.run("events", "show", "1", "--data", folder.data)
    #expect(shown.output.contains("slow: done"), "\(shown.output)")
  }

  @Test(arguments: [(SIGTERM, SIGTERM), (SIGTERM, SIGINT), (SIGINT, SIGTERM), (SIGINT, SIGINT)])
  func `a second signal ends the server at once, with status 1`(first: Int32, second: Int32) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: Self.patient)
    let delivery = try HalfSentDelivery(to: server.address)
    server.signal(first)
    // Of two equal signals the kernel delivers one if the first is still pending.
    #expect(server.log.wait { $0.contains("stopping") })
    server.signal(second)
    #expect(server.end() == 1)
    #expect(delivery.read() == "")
    let name = second == SIGTERM ? "SIGTERM" : "SIGINT"
    #expect(server.log.wholeText.contains(#""message":"stopping at once: a second signal","signal":"\#(name)""#))
  }

  @Test func `what does not finish within timeouts.drain is cut off, and that is a clean stop`() throws {
    let server = try RunningServer(
      in: TemporaryFolder(), environment: Self.patient.merging(["REVOKED_TIMEOUTS_DRAIN": "50ms"]) { $1 })
    let delivery = try HalfSentDelivery(to: server.address)
    server.signal(SIGTERM)
    #expect(delivery.read() == "")
    #expect(server.end() == 0)
  }

  @Test func `a server with nothing to do stops at once`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: Self.patient)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  @Test(arguments: [SIGHUP, SIGPIPE])
  func `other signals that end careless programs do no harm`(signal: Int32) throws {
    let server = try RunningServer(in: TemporaryFolder())
    server.signal(signal)
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  @Test func `peers that are gone before their answers do no harm`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let request =
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nx-dynamic-signature-256: \(Vector.sessionRevoked.signature)\r\n"
      + "Content-Length: \(Vector.sessionRevoked.text.utf8.count)\r\n\r\n\(Vector.sessionRevoked.text)"
    for _ in 0..<20 {
      // Closing with unread answers resets the connection under the rest of them.
      try Client(server.address).send(String(repeating: request, count: 20))
    }
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    #expect(try eventually { try server.metric(#"revoked_connections{listener="public"}"#) == 0 })
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }

  @Test func `the service manager is told when the server is ready and when it stops`() throws {
    let folder = try TemporaryFolder()
    let manager = try NotifySocket("\(folder.path)/notify.sock")
    let server = try RunningServer(in: folder, environment: ["NOTIFY_SOCKET": "\(folder.path)/notify.sock"])
    #expect(manager.next() == "READY=1")
    #expect(try server.get("/readyz").status == 200)
    server.signal(SIGTERM)
    #expect(manager.next() == "STOPPING=1")
    #expect(server.end() == 0)
  }
}
