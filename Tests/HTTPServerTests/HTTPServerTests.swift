import Foundation
import HTTPMessage
import HTTPServer
import Synchronization
import TestSupport
import Testing

@Suite("The server speaks HTTP/1.1 over real sockets", .timeLimit(.minutes(2)))
struct HTTPServerTests {
  let waiting = Echo.Waiting()

  func server(
    _ listen: ListenAddress = .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits = ServerLimits(), loops: Int = 2
  ) throws -> HTTPServer {
    let server = try HTTPServer(listen: listen, limits: limits, loops: loops, label: "test")
    server.start { [waiting] in Echo($0, waiting) }
    return server
  }

  func post(_ path: String, _ body: String, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
  }

  func wait(until condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  @Test func `a request is answered and the connection kept`() async throws {
    let server = try server()
    let client = try Client(server.address)
    for text in ["one", "two"] {
      client.send(post("/", text))
      let answer = client.read(until: text)
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(answer.contains("\r\nDate: "))
      #expect(!answer.contains("Connection:"))
    }
    #expect(server.counters.connections.load(ordering: .relaxed) == 1)
    server.abort()
    await server.drain()
  }

  @Test func `pipelined requests are answered in order, also behind one that waits`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/", "first") + post("/later", "") + post("/", "third") + post("/", "fourth"))
    #expect(client.read(until: "first").contains("first"))
    await waiting.reaches(1)
    waiting.answerAll("second")
    let rest = client.read(until: "fourth")
    #expect(rest.components(separatedBy: "HTTP/1.1 200").count == 4)
    let second = try #require(rest.range(of: "second")?.lowerBound)
    let third = try #require(rest.range(of: "third")?.lowerBound)
    #expect(second < third)
    await server.drain()
  }

  @Test func `the last request's answer is waited for, whatever was pipelined before it`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/", "first") + post("/later", "", "Connection: close\r\n"))
    #expect(client.read(until: "first").contains("first"))
    await waiting.reaches(1)
    waiting.answerAll("second")
    #expect(client.read().hasSuffix("second"))
    await server.drain()
  }

  @Test func `a second answer to one request is dropped, and never taken for the next one's`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/later", ""))
    await waiting.reaches(1)
    let (loop, exchange) = try #require(waiting.exchanges.withLock { $0.first })
    waiting.answerAll("first")
    #expect(client.read(until: "first").hasSuffix("first"))
    client.send(post("/later", "", "Connection: close\r\n"))
    await waiting.reaches(1)
    loop.answer([(exchange, Response(.ok, body: "stray"))])
    waiting.answerAll("second")
    #expect(client.read().hasSuffix("second"))
    await server.drain()
  }

  @Test func `a body that comes late is announced by 100 Continue`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("hello")
    #expect(client.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
    await server.drain()
  }

  @Test func `what is refused by its head is refused before its body, and the connection ends`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    let answer = client.read()
    #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    #expect(answer.contains("\r\nConnection: close\r\n"))
    await server.drain()
  }

  @Test func `a malformed request is told why, and nothing is sent after it`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/", "good") + "BAD\r\n\r\n" + post("/", "never"))
    let answer = client.read()
    #expect(answer.contains("good"))
    #expect(answer.contains("HTTP/1.1 400 Bad Request\r\n"))
    #expect(answer.contains("application/problem+json"))
    #expect(!answer.contains("never"))
    await server.drain()
  }

  @Test func `the error reply survives a peer that is still sending`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n")
    for _ in 0..<10 { client.send(String(repeating: "x", count: 10_000)) }
    #expect(client.read().hasPrefix("HTTP/1.1 413 "))
    await server.drain()
  }

  @Test func `a half-closed client gets its answer`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/later", ""))
    client.endSending()
    await waiting.reaches(1)
    waiting.answerAll("late")
    #expect(client.read().hasSuffix("late"))
    await server.drain()
  }

  @Test
  func `a client that has ended its sending gets every answer, also those that come late, and then the end`()
    async throws
  {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/", "first") + post("/later", "") + post("/", "third") + post("/later", ""))
    client.endSending()
    await waiting.reaches(1)
    waiting.answerAll("second")
    await waiting.reaches(1)
    waiting.answerAll("fourth")
    let answers = client.read()
    #expect(answers.components(separatedBy: "HTTP/1.1 200").count == 5)
    #expect(answers.hasSuffix("fourth"))
    await server.drain()
  }

  @Test
  func `a half-closed client gets the answers that it has earned before the error that follows them`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/", "first") + post("/later", "") + "BAD\r\n\r\n")
    client.endSending()
    await waiting.reaches(1)
    waiting.answerAll("second")
    let answers = client.read()
    let second = try #require(answers.range(of: "second")?.lowerBound)
    let error = try #require(answers.range(of: "HTTP/1.1 400 ")?.lowerBound)
    #expect(answers.contains("first"))
    #expect(second < error)
    await server.drain()
  }

  @Test func `pipelined requests whose answers do not fit into one write are all answered, in order`() async throws {
    let server = try server()
    let client = try Client(server.address)
    let requests = (0..<200).map { post($0.isMultiple(of: 3) ? "/page" : "/", "<\($0)>") }
    client.send(requests.joined() + post("/", "end"))
    let answers = client.read(until: "end")
    #expect(answers.components(separatedBy: "HTTP/1.1 200").count == 202)
    let numbers = answers.matches(of: /<(\d+)>/).compactMap { Int($0.1) }
    #expect(numbers == Array(0..<200))
    await server.drain()
  }

  @Test func `a large answer arrives whole through a full socket buffer`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/large", "") + post("/large", "", "Connection: close\r\n"))
    #expect(client.read().utf8.count > 2 << 20)
    await server.drain()
  }

  @Test func `a slow head is answered 408, a slow body too, an idle connection is closed`() async throws {
    var limits = ServerLimits()
    // Counts from the connection's beginning as well, and this thread may be held up before it sends.
    limits.headerTimeout = .seconds(2)
    limits.bodyTimeout = .milliseconds(100)
    limits.idleTimeout = .milliseconds(100)
    let server = try server(limits: limits)
    let silent = try Client(server.address)
    let slowHead = try Client(server.address)
    slowHead.send("POST / HT")
    let slowBody = try Client(server.address)
    slowBody.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
    let idle = try Client(server.address)
    idle.send(post("/", "x"))
    #expect(slowHead.read().hasPrefix("HTTP/1.1 408 "))
    #expect(slowBody.read().hasPrefix("HTTP/1.1 408 "))
    #expect(idle.read().hasSuffix("x"))
    #expect(silent.read() == "")
    await server.drain()
  }

  @Test func `connections beyond the limit are closed at once`() async throws {
    var limits = ServerLimits()
    limits.connections = 1
    let server = try server(limits: limits)
    let first = try Client(server.address)
    first.send(post("/", "in"))
    #expect(first.read(until: "in").hasSuffix("in"))
    let second = try Client(server.address)
    second.send(post("/", "out"))
    #expect(second.read() == "")
    await server.drain()
  }

  @Test func `draining answers what is in flight, closes what is idle and takes nothing new`() async throws {
    // One loop: once it has closed the idle connection, it drains the busy one too.
    let server = try server(loops: 1)
    let idle = try Client(server.address)
    idle.send(post("/", "x"))
    #expect(idle.read(until: "x").hasSuffix("x"))
    let busy = try Client(server.address)
    busy.send(post("/later", ""))
    await waiting.reaches(1)
    async let drained: Void = server.drain()
    #expect(await idle.readAside() == "")
    waiting.answerAll("done")
    let answer = await busy.readAside()
    #expect(answer.contains("\r\nConnection: close\r\n"))
    #expect(answer.hasSuffix("done"))
    await drained
    #expect(throws: POSIXError.self) { try Client(server.address) }
  }

  @Test
  func `a unix socket is served, and its file goes with the server; what a killed server left is replaced`()
    async throws
  {
    let path = "/tmp/revoked-test-\(UUID().uuidString.prefix(8)).sock"
    #expect(FileManager.default.createFile(atPath: path, contents: nil) == true)
    #expect(throws: ListenError.self) { try self.server(.unix(path: path)) }
    try FileManager.default.removeItem(atPath: path)
    let server = try server(.unix(path: path))
    #expect(throws: ListenError.self) { try self.server(.unix(path: path)) }
    let client = try Client(server.address)
    client.send(post("/", "hello", "Connection: close\r\n"))
    #expect(client.read().hasSuffix("hello"))
    await server.drain()
    await wait { !FileManager.default.fileExists(atPath: path) }
  }

  @Test
  func `an address that is bound refuses connections until it listens, and is nobody else's from then on`() async throws
  {
    let path = "/tmp/revoked-test-\(UUID().uuidString.prefix(8)).sock"
    for address in [ListenAddress.tcp(host: "127.0.0.1", port: 0), .unix(path: path)] {
      let listener = try Listener(address)
      #expect(throws: POSIXError.self) { try Client(listener.address) }
      let server = try HTTPServer(listener, limits: ServerLimits(), loops: 1, label: "test")
      server.start { [waiting] in Echo($0, waiting) }
      #expect(throws: ListenError.self) { try Listener(listener.address) }
      let client = try Client(listener.address)
      client.send(post("/", "hello", "Connection: close\r\n"))
      #expect(client.read().hasSuffix("hello"))
      await server.drain()
    }
  }

  @Test func `of two that have bound one address, one listens and the other says that it is in use`() async throws {
    let path = "/tmp/revoked-test-\(UUID().uuidString.prefix(8)).sock"
    let unix = try (Listener(.unix(path: path)), Listener(.unix(path: path)))
    let first = try Listener(.tcp(host: "127.0.0.1", port: 0))
    for (first, second) in [unix, (first, try Listener(first.address))] {
      try first.listen()
      let error = #expect(throws: ListenError.self) { try second.listen() }
      #expect(error?.description == "cannot listen on \(first.address): Address already in use")
    }
    #expect(FileManager.default.fileExists(atPath: path))
  }

  /// Whether this host has ::1, really tried.
  static let hasIPv6 = (try? Listener(.tcp(host: "::1", port: 0))) != nil

  @Test(
    .enabled(if: hasIPv6, "this machine has no ::1"),
    arguments: [
      ("*", ["0.0.0.0", "::"], ["127.0.0.1", "::1"]), ("::", ["::"], ["127.0.0.1", "::1"]),
      ("0.0.0.0", ["0.0.0.0"], ["127.0.0.1"]), ("::1", ["::1"], ["::1"]), ("127.0.0.1", ["127.0.0.1"], ["127.0.0.1"]),
    ])
  func `a wildcard is reached over IPv4 and IPv6`(host: String, addresses: [String], reached: [String]) async throws {
    let loopbacks = ["127.0.0.1", "::1"]
    let (server, port, others) = try await server(host, alone: loopbacks.filter { !reached.contains($0) })
    defer { withExtendedLifetime(others) {} }
    #expect(server.addresses == addresses.map { .tcp(host: $0, port: port) })
    for loopback in loopbacks {
      let client = try? Client(.tcp(host: loopback, port: port))
      #expect((client != nil) == reached.contains(loopback), "\(loopback)")
      client?.send(post("/", "hello", "Connection: close\r\n"))
      if let client { #expect(client.read().hasSuffix("hello")) }
    }
    await server.drain()
    for loopback in reached {
      #expect(throws: POSIXError.self) { try Client(.tcp(host: loopback, port: port)) }
    }
  }

  /// A server on a port that on these other hosts is nobody's: bound, without listening. The kernel may have given it
  /// to another process there.
  private func server(_ host: String, alone others: [String]) async throws -> (HTTPServer, UInt16, [Listener]) {
    while true {
      let server = try server(.tcp(host: host, port: 0))
      guard case .tcp(_, let port) = server.address else { throw POSIXError(.EAFNOSUPPORT) }
      let bound = others.compactMap { try? Listener(.tcp(host: $0, port: port)) }
      if bound.count == others.count { return (server, port, bound) }
      await server.drain()
    }
  }

  @Test func `a name is all of its addresses, which share a port`() async throws {
    let server = try server(.tcp(host: "localhost", port: 0))
    guard case .tcp("127.0.0.1", let port) = server.address else {
      Issue.record("\(server.address)")
      return
    }
    for address in server.addresses {
      #expect(address == .tcp(host: "127.0.0.1", port: port) || address == .tcp(host: "::1", port: port))
      let client = try Client(address)
      client.send(post("/", "hello", "Connection: close\r\n"))
      #expect(client.read().hasSuffix("hello"))
    }
    await server.drain()
  }

  @Test(.enabled(if: hasIPv6, "this machine has no ::1"))
  func `of a wildcard that is busy for one family alone, the error names that one`() async throws {
    let (taken, port, _) = try await server("::1", alone: ["0.0.0.0"])
    let error = #expect(throws: ListenError.self) { try Listener(.tcp(host: "*", port: port)) }
    #expect(error?.description == "cannot listen on *:\(port) ([::]:\(port)): Address already in use")
    // Nothing of it is left behind.
    #expect(throws: Never.self) { try Listener(.tcp(host: "0.0.0.0", port: port)).listen() }
    await taken.drain()
  }

  @Test func `a busy port is an error that names it`() async throws {
    let server = try server()
    let error = #expect(throws: ListenError.self) { try self.server(server.address) }
    #expect(error?.description == "cannot listen on \(server.address): Address already in use")
    await server.drain()
  }

  @Test(arguments: ["80", ":80", "a:", "a:+80", "a:65536", "::1:80", "[::1]", "[a]:80", "unix:", "a:８０"])
  func `addresses are read strictly`(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(arguments: ["127.0.0.1:8080", "[::1]:0", "localhost:80", "*:80", "[::]:80", "unix:/run/x"])
  func `addresses are printed as they are written`(text: String) {
    #expect(ListenAddress(text)?.description == text)
  }
}
