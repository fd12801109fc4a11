import Foundation
import Glibc
import HTTPMessage
import HTTPServer
import TestSupport
import Testing

@Suite("Hostile peers harm nobody else", .timeLimit(.minutes(5)), .serialized)
struct HostileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A good delivery is answered, whatever else goes on. The bound is far above what a busy machine takes, and below
  /// the deadlines that hold a peer's connection.
  func expectService(_ server: RunningServer) throws {
    let start = ContinuousClock.now
    let answer = try server.post(Vector.ping.text, signature: Vector.ping.signature)
    #expect(answer.status == 200)
    #expect(start.duration(to: .now) < .seconds(8))
  }

  /// Both ends of 4,096 connections and what else the two processes hold.
  private static let descriptorsNeeded = 4400

  /// Raises this process's own limit as far as it may; the server raises its own the same way.
  private static var hasDescriptors: Bool {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
    limit.rlim_cur = limit.rlim_max
    return unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
      && limit.rlim_max >= 2 * descriptorsNeeded
  }

  @Test(.enabled(if: hasDescriptors, "the hard limit on open files is below 8,800"))
  func
    `4,096 connections, all but one idle, cost no service and no processor, and hold no descriptor once they are gone`()
    throws
  {
    let server = try RunningServer(in: folder, environment: ["REVOKED_TIMEOUTS_HEADER": "60s"])
    let clock = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_TIMEOUTS_HEADER": "2s"])
    let before = try server.descriptors
    var clients = try (0..<4095).map { _ in try Client(server.address) }
    #expect(try eventually { try server.descriptors >= before + 4095 })
    try expectService(server)
    let ticks = try server.processorTicks
    // Another server's deadline tells when two seconds have passed.
    #expect(try Client(clock.address).read() == "")
    #expect(try server.processorTicks - ticks < 20, "a tenth of a core at most")
    try expectService(server)
    for client in clients.prefix(2000) { client.reset() }
    clients = []
    #expect(try eventually { try server.descriptors <= before + 2 })
    try expectService(server)
  }

  @Test func `a storm of resets in every state leaves no descriptor behind`() throws {
    let server = try RunningServer(in: folder)
    let before = try server.descriptors
    let delivery = "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nx-dynamic-signature-256: \(Vector.ping.signature)\r\n"
    let whole = delivery + "Content-Length: \(Vector.ping.body.count)\r\n\r\n" + Vector.ping.text
    for round in 0..<2000 {
      let client = try Client(server.address)
      switch round % 5 {
      case 0: break
      case 1: client.send("POST /webh")
      case 2: client.send(delivery + "Content-Length: 500\r\n\r\n{")
      case 3: client.send(whole + whole + whole)
      default: client.send("BAD\r\n\r\n")
      }
      client.reset()
    }
    #expect(try eventually { try server.descriptors <= before + 2 })
    try expectService(server)
  }

  @Test func `out of descriptors, the server pauses, does not spin, and recovers`() throws {
    let server = try RunningServer(in: folder, environment: ["REVOKED_TIMEOUTS_HEADER": "2s"])
    // At its start the server would bound its connections by the limit; lowered later, it meets it.
    #expect(
      try Program.run("/usr/bin/prlimit", ["--pid", "\(server.processIdentifier)", "--nofile=60:60"]).status == 0)
    var clients: [Client] = []
    for _ in 0..<200 { clients.append(try Client(server.address)) }
    #expect(try eventually { try server.descriptors >= 59 })
    let ticks = try server.processorTicks
    // An accepted connection says nothing for two seconds and is closed; what happens until then must cost nothing.
    #expect(clients[0].read() == "")
    #expect(try server.processorTicks - ticks < 20, "a tenth of a core at most")
    #expect(server.log.text.contains("out of file descriptors"))
    clients = []
    #expect(eventually { (try? server.post(Vector.ping.text, signature: Vector.ping.signature))?.status == 200 })
    try expectService(server)
  }

  @Test
  func `requests that came while the process was stopped are answered, though their deadlines have passed`() throws {
    let server = try RunningServer(
      in: folder, environment: ["REVOKED_TIMEOUTS_IDLE": "5s", "REVOKED_TIMEOUTS_HEADER": "5s"])
    let clock = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_TIMEOUTS_HEADER": "6s"])
    let get = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    let clients = try (0..<300).map { _ in
      let client = try Client(server.address)
      client.send(get)
      #expect(client.read(until: "ok").hasSuffix("ok"))
      return client
    }
    server.signal(SIGSTOP)
    for client in clients { client.send(get) }
    // Another server's deadline tells when this one's has passed.
    #expect(try Client(clock.address).read() == "")
    server.signal(SIGCONT)
    for client in clients { #expect(client.read(until: "ok").hasSuffix("ok")) }
  }

  @Test func `a peer that pipelines and never reads is cut off, and holds up nobody`() throws {
    let server = try RunningServer(in: folder, environment: ["REVOKED_TIMEOUTS_WRITE": "1s"])
    let before = try server.descriptors
    let greedy = try Client(server.address)
    let requests = String(repeating: "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", count: 2000)
    // Sends until its own send buffer is full too: the server has stopped reading.
    greedy.sendUntilBlocked(requests)
    try expectService(server)
    #expect(try eventually { try server.descriptors <= before })
    try expectService(server)
  }

  @Test(arguments: [
    ("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}", 400),
    ("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n", 400),
  ])
  func `what is not HTTP is turned away at once`(name: String, bytes: String, status: Int) throws {
    let server = try RunningServer(in: folder)
    #expect(try server.answer(to: bytes).status == status)
  }

  private static let bodyHead =
    "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nx-dynamic-signature-256: \(Vector.ping.signature)\r\n"

  @Test(arguments: ["Content-Length: 52428800", "Transfer-Encoding: chunked"])
  func `a body of 50 MB is refused by its head, a chunked one when it passes the limit, and neither is taken in`(
    framing: String
  ) throws {
    let server = try RunningServer(in: folder)
    try expectService(server)
    let before = try server.peakMemory
    let client = try Client(server.address)
    client.send(Self.bodyHead + framing + "\r\n\r\n")
    // Chunks also where no chunk is meant: any bytes will do.
    let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
    // The server reads 512 KiB at most; what else was taken lies in the two socket buffers.
    #expect(client.send(chunk, upTo: 52_428_800) < 26_214_400)
    #expect(Answer(client.read())?.status == 413)
    #expect(try server.peakMemory - before < 4 << 20)
    try expectService(server)
  }

  @Test
  func `200 bodies half sent cost no more memory than the README says, and the next 200 no more than these`() throws {
    let server = try RunningServer(in: folder, environment: ["REVOKED_TIMEOUTS_BODY": "120s"])
    try expectService(server)
    let before = try server.peakMemory
    let piece = String(repeating: "x", count: 50_000)
    for _ in 0..<2 {
      let clients = try (0..<200).map { number in
        let client = try Client(server.address)
        let isChunked = number.isMultiple(of: 2)
        client.send(Self.bodyHead + (isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 250000") + "\r\n\r\n")
        client.send(String(repeating: isChunked ? "c350\r\n\(piece)\r\n" : piece, count: 4))
        return client
      }
      // They are really held: this is what all of them have sent.
      #expect(try eventually { try server.peakMemory - before > 200 * 4 * piece.utf8.count * 9 / 10 })
      try expectService(server)
      for (number, client) in clients.enumerated() {
        client.send(number.isMultiple(of: 2) ? "c350\r\n\(piece)\r\n0\r\n\r\n" : piece)
        #expect(client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 401 "))
      }
    }
    let limits = MessageLimits()
    let connection = 2 * (limits.headBytes + limits.bodyBytes) + limits.headBytes + 131_072
    #expect(try server.peakMemory - before < 200 * connection)
  }
}

/// What the kernel tells of the process. An error when it tells nothing: a zero would pass for a low figure.
extension RunningServer {
  /// Open descriptors.
  var descriptors: Int {
    get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processIdentifier)/fd").count }
  }

  /// The most bytes that the process ever had in memory.
  var peakMemory: Int {
    get throws {
      let status = try String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
      return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 1024
    }
  }

  /// User and system time in hundredths of a second.
  var processorTicks: Int {
    get throws {
      let stat = try String(contentsOfFile: "/proc/\(processIdentifier)/stat", encoding: .utf8)
      // The name in parentheses may hold anything; what follows it is numbers.
      let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
      try #require(fields.count > 12)
      return try #require(Int(fields[11])) + #require(Int(fields[12]))
    }
  }
}
