import Foundation
import HTTPMessage
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// The loop is held in one request while others arrive, so that its next round has all of them.
@Suite(
  "Replies that wait for the round's end are sent, in order, to the peers that are still there", .timeLimit(.minutes(2))
)
struct PostponingTests {
  let waiting = Echo.Waiting()

  /// A server with one loop, clients that it knows already, and one whose request holds the loop.
  private func held(_ count: Int) async throws -> (
    server: HTTPServer, loop: EventLoop, clients: [Client], holder: Client
  ) {
    let server = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "test")
    server.start { [waiting] in Echo($0, waiting) }
    let clients = try (0..<count).map { _ in try Client(server.address) }
    for client in clients {
      client.send(request("/", "open"))
      #expect(client.read(until: "open").hasSuffix("open"))
    }
    let holder = try Client(server.address)
    holder.send(request("/hold", "held"))
    return (server, await waiting.held(), clients, holder)
  }

  private func request(_ path: String, _ body: String) -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test(arguments: [true, false])
  func `a drain in the same round closes no connection before its reply is out`(requestsFirst: Bool) async throws {
    let (_, loop, clients, holder) = try await held(8)
    let drained = Mutex(false)
    let send = { for (index, client) in clients.enumerated() { client.send(request("/", "<\(index)>")) } }
    if requestsFirst { send() }
    loop.post(.drain { drained.withLock { $0 = true } })
    if !requestsFirst { send() }
    waiting.letGo()
    for (index, client) in clients.enumerated() { #expect(client.read().hasSuffix("<\(index)>")) }
    #expect(holder.read().hasSuffix("held"))
    while !drained.withLock({ $0 }) { await Task.yield() }
  }

  @Test func `a peer that has ended its sending gets its reply, and the end after it`() async throws {
    let (server, _, clients, holder) = try await held(8)
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

  @Test func `what waited behind a late answer is answered before what the same round reads after it`() async throws {
    let (server, loop, clients, holder) = try await held(1)
    let client = try #require(clients.first)
    client.send(request("/later", "") + request("/", "second") + request("/", "third"))
    waiting.letGo()
    await waiting.reaches(1)
    #expect(holder.read(until: "held").hasSuffix("held"))
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

  @Test func `a reply is not sent to whoever got the closed connection's descriptor in the same round`() async throws {
    let (server, loop, closed, _) = try await held(8)
    for client in closed { client.send(request("/", "stray")) }
    loop.post(.abort)
    let others = try (0..<8).map { _ in try Client(server.address) }
    waiting.letGo()
    for client in others {
      client.send(request("/", "mine"))
      let reply = client.read(until: "mine")
      #expect(reply.hasSuffix("mine"))
      #expect(!reply.contains("stray"))
    }
    await server.drain()
  }
}
