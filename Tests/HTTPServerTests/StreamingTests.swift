import Bytes
import Foundation
import HTTPMessage
import HTTPServer
import Synchronization
import TestSupport
import Testing

// One after another: each waits by yielding, which leaves few threads to the servers.
@Suite("A body that is made while it is sent", .serialized, .timeLimit(.minutes(2)))
struct StreamingTests {
  let streams = Streams()

  func server(_ limits: ServerLimits = ServerLimits()) throws -> HTTPServer {
    let server = try HTTPServer(listen: .tcp(host: "127.0.0.1", port: 0), limits: limits, loops: 1, label: "test")
    server.start { [streams] _ in Streamer(streams) }
    return server
  }

  func get(_ path: String, method: String = "GET", fields: String = "") -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  func wait(until condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  @Test func `comes in chunks, with the last chunk at its end, and the connection goes on`() async throws {
    let server = try server()
    let client = try Client(server.address)
    for _ in 0..<2 {
      client.send(get("/numbers"))
      let answer = client.read(until: "\r\n0\r\n\r\n")
      #expect(answer.contains("\r\nTransfer-Encoding: chunked\r\n"))
      #expect(!answer.contains("Content-Length"))
      #expect(!answer.contains("Connection:"))
      #expect(answer.hasSuffix("\r\n\r\n6\r\nfirst \r\n2\r\n1 \r\n2\r\n2 \r\n2\r\n3 \r\n0\r\n\r\n"))
    }
    server.abort()
    await server.drain()
  }

  @Test
  func `ends with the connection for HTTP/1.0, which knows no chunks, whatever that peer asks for`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send("GET /numbers HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let answer = client.read()
    #expect(answer.contains("\r\nConnection: close\r\n"))
    #expect(!answer.contains("chunked"))
    #expect(answer.hasSuffix("\r\n\r\nfirst 1 2 3 "))
    await server.drain()
  }

  @Test func `is not made for HEAD`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(get("/numbers", method: "HEAD") + get("/short"))
    let answer = client.read(until: "short")
    #expect(answer.contains("\r\nTransfer-Encoding: chunked\r\n"))
    #expect(!answer.contains("first"))
    #expect(!answer.contains("\r\n0\r\n"))
    #expect(streams.made.load(ordering: .relaxed) == 0)
    server.abort()
    await server.drain()
  }

  @Test func `breaks off without the last chunk when the rest cannot be made, so that the peer knows`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(get("/broken") + get("/short"))
    let answer = client.read()
    #expect(answer.hasSuffix("6\r\nfirst \r\n2\r\n1 \r\n"))
    await server.drain()
  }

  @Test(arguments: [false, true])
  func `is cut by a reset for HTTP/1.0, whose peer would take an end for the end of the body`(isAborted: Bool)
    async throws
  {
    let server = try server()
    let client = try Client(server.address)
    client.send("GET \(isAborted ? "/endless" : "/broken") HTTP/1.0\r\n\r\n")
    if isAborted {
      await wait { streams.made.load(ordering: .relaxed) > 0 }
      server.abort()
    }
    _ = client.read()
    #expect(client.wasReset)
    let whole = try Client(server.address)
    whole.send("GET /numbers HTTP/1.0\r\n\r\n")
    #expect(whole.read().hasSuffix("3 "))
    #expect(!whole.wasReset)
    server.abort()
    await server.drain()
  }

  @Test func `comes before the answers to what was pipelined behind it`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(get("/short") + get("/numbers") + get("/short") + get("/numbers", fields: "Connection: close\r\n"))
    let answer = client.read()
    #expect(answer.hasSuffix("3 \r\n0\r\n\r\n"))
    let bodies = answer.components(separatedBy: "HTTP/1.1 200 OK").dropFirst().map { $0.contains("chunked") }
    #expect(bodies == [false, true, false, true])
    await server.drain()
  }

  @Test func `is made no faster than the peer reads, and a peer that stops reading is cut off`() async throws {
    var limits = ServerLimits()
    limits.writeTimeout = .milliseconds(200)
    let server = try server(limits)
    let client = try Client(server.address)
    client.send(get("/endless"))
    await wait { server.counters.accepted.load(ordering: .relaxed) == 1 }
    await wait { server.counters.connections.load(ordering: .relaxed) == 0 }
    // What two socket buffers hold, and not a part more.
    #expect(streams.made.load(ordering: .relaxed) * Streams.part < 64 << 20)
    #expect(client.read().contains("chunked"))
    await server.drain()
  }

  @Test func `holds up no other connection, however long it is`() async throws {
    let server = try server()
    let endless = try Client(server.address)
    endless.send(get("/endless"))
    async let flood = endless.readAside()
    await wait { streams.made.load(ordering: .relaxed) > 100 }
    let other = try Client(server.address)
    for _ in 0..<20 {
      other.send(get("/short"))
      #expect(other.read(until: "short").contains("200 OK"))
    }
    server.abort()
    #expect(await !flood.hasSuffix("0\r\n\r\n"))
    await server.drain()
  }

  @Test func `is sent to its end while the server drains`() async throws {
    let server = try server()
    let client = try Client(server.address)
    streams.isHeld.store(true, ordering: .relaxed)
    client.send(get("/numbers"))
    #expect(client.read(until: "first \r\n").contains("chunked"))
    async let drained: Void = server.drain()
    while (try? Client(server.address)) != nil { await Task.yield() }
    streams.isHeld.store(false, ordering: .relaxed)
    #expect(client.read().hasSuffix("3 \r\n0\r\n\r\n"))
    await drained
  }
}

/// What the bodies of a test have in common.
final class Streams: Sendable {
  static let part = 16_384
  let made = Atomic(0)
  /// Parts are empty until it is false: an empty part is nothing on the wire.
  let isHeld = Atomic(false)
}

private final class Streamer: Responder {
  private let streams: Streams

  init(_ streams: Streams) {
    self.streams = streams
  }

  func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? { nil }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Reply {
    let path = bytes.extracting(head.path.range)
    if path.equals("/short") { return .now(Response(.ok, contentType: "text/plain", body: "short")) }
    let kind: Body.Kind = path.equals("/numbers") ? .numbers : path.equals("/broken") ? .broken : .endless
    return .now(Response(.ok, contentType: "text/plain", first: Array("first ".utf8), rest: Body(streams, kind)))
  }

  func roundEnded() {}
}

private final class Body: ResponseBody {
  enum Kind { case numbers, broken, endless }

  private let streams: Streams
  private let kind: Kind
  private let number = Atomic(0)

  init(_ streams: Streams, _ kind: Kind) {
    self.streams = streams
    self.kind = kind
  }

  func appendNext(to output: inout [UInt8]) -> BodyProgress {
    if streams.isHeld.load(ordering: .relaxed) { return .more }
    streams.made.wrappingAdd(1, ordering: .relaxed)
    if kind == .endless {
      output.append(contentsOf: [UInt8](repeating: 0x78, count: Streams.part))
      return .more
    }
    let next = number.wrappingAdd(1, ordering: .relaxed).newValue
    if kind == .broken, next == 2 {
      output.append(contentsOf: "lost".utf8)
      return .failed
    }
    output.append(contentsOf: "\(next) ".utf8)
    return next == 3 ? .last : .more
  }
}
