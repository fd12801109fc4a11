import Foundation
import HTTPMessage
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// The loop is held in one request while others arrive, so that its next round has all of them.
@Suite("Replies that wait for the round's end are sent, in order and to whoever still listens")
struct PostponingTests {
  let waiting = Echo.Waiting()

  /// One loop, and the client whose request holds it.
  private func held() async throws -> (server: HTTPServer, loop: EventLoop, holder: Client) {
    let server = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "test")
    server.start { [waiting] in Echo($0, waiting) }
    let holder = try Client(server.address)
    holder.send(request("/hold", "held"))
    return (server, await waiting.held(), holder)
  }

  private func request(_ path: String, _ body: String) -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test("a drain in the same round closes no connection before its reply is out", arguments: [true, false])
  func drain(requestsFirst: Bool) async throws {
    let (server, loop, holder) = try await held()
    // Connected before the loop is held a second time, so that the drain finds them open.
    let clients = try (0..<8).map { _ in try Client(server.address) }
    waiting.letGo()
    #expect(holder.read(until: "held").hasSuffix("held"))
    for client in clients {
      client.send(request("/", "open"))
      #expect(client.read(until: "open").hasSuffix("open"))
    }
    holder.send(request("/hold", "again"))
    _ = await waiting.held()
    let drained = Mutex(false)
    let send = { for (index, client) in clients.enumerated() { client.send(request("/", "<\(index)>")) } }
    if requestsFirst { send() }
    loop.post(.drain { drained.withLock { $0 = true } })
    if !requestsFirst { send() }
    waiting.letGo()
    for (index, client) in clients.enumerated() { #expect(client.read().hasSuffix("<\(index)>")) }
    #expect(holder.read().hasSuffix("again"))
    while !drained.withLock({ $0 }) { await Task.yield() }
  }

  @Test("a peer that has ended its sending gets its reply, and the end after it")
  func halfClosed() async throws {
    let (server, _, holder) = try await held()
    let clients = try (0..<8).map { _ in try Client(server.address) }
    for (index, client) in clients.enumerated() {
      client.send(request("/", "first") + request("/", "<\(index)>"))
      client.endSending()
    }
    waiting.letGo()
    for (index, client) in clients.enumerated() {
      let replies = client.read()
      #expect(replies.contains("first"))
      #expect(replies.hasSuffix("<\(index)>"))
    }
    #expect(holder.read(until: "held").hasSuffix("held"))
    await server.drain()
  }

  @Test("what waited behind a late answer is answered before what the same round reads after it")
  func backlog() async throws {
    let (server, loop, holder) = try await held()
    waiting.letGo()
    #expect(holder.read(until: "held").hasSuffix("held"))
    let client = try Client(server.address)
    client.send(request("/later", "") + request("/", "second") + request("/", "third"))
    await waiting.reaches(1)
    holder.send(request("/hold", "again"))
    _ = await waiting.held()
    // The loop is told of the answer first, and reads the fourth request in the same round.
    let (_, exchange) = try #require(waiting.exchanges.withLock { $0.first })
    loop.answer([(exchange, Response(.ok, body: "first"))])
    client.send(request("/", "fourth"))
    waiting.letGo()
    let replies = client.read(until: "fourth")
    let places = ["first", "second", "third", "fourth"].map { replies.range(of: $0)?.lowerBound }
    #expect(!places.contains(nil))
    #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
    await server.drain()
  }

  @Test("a peer that is gone by then costs the others nothing")
  func reset() async throws {
    let (server, loop, holder) = try await held()
    var gone: [Client] = []
    for _ in 0..<4 {
      let client = try Client(server.address)
      client.send(request("/", "never"))
      gone.append(client)
    }
    let last = try Client(server.address)
    last.send(request("/", "last"))
    for client in gone { client.reset() }
    gone = []
    waiting.letGo()
    #expect(last.read(until: "last").hasSuffix("last"))
    #expect(holder.read(until: "held").hasSuffix("held"))
    while loop.counters.connections.load(ordering: .relaxed) > 2 { await Task.yield() }
    await server.drain()
  }
}
