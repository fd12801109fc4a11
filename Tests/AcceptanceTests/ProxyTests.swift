import Foundation
import HTTPServer
import TestSupport
import Testing

/// Requests as a proxy passes them on, with connections that it keeps and shares among its clients, and bodies that
/// come piece by piece. A proxy is a tool of the machine and not of this package: where it is missing, its tests are
/// reported as skipped, by name. `apt-get install nginx haproxy` brings them back.
@Suite("Behind a proxy that does not buffer", .timeLimit(.minutes(5)), .serialized)
struct ProxyTests {
  @Test(.enabled(if: UnbufferedProxy.hasNginx, "nginx is not installed"))
  func `nginx: of ten thousand events over kept connections, half of them chunked, none is lost and none doubled`()
    throws
  { try deliver(through: UnbufferedProxy.nginx) }

  @Test(.enabled(if: UnbufferedProxy.hasHAProxy, "haproxy is not installed"))
  func `HAProxy: of ten thousand events over kept connections, half of them chunked, none is lost and none doubled`()
    throws
  { try deliver(through: UnbufferedProxy.haproxy) }

  @Test(.enabled(if: UnbufferedProxy.hasNginx, "nginx is not installed"))
  func `nginx: of two hundred clients that reset amid a body, nothing is stored and no connection is left`() throws {
    try abort(through: UnbufferedProxy.nginx)
  }

  @Test(.enabled(if: UnbufferedProxy.hasHAProxy, "haproxy is not installed"))
  func `HAProxy: of two hundred clients that reset amid a body, nothing is stored and no connection is left`() throws {
    try abort(through: UnbufferedProxy.haproxy)
  }

  private typealias MakeProxy = (TemporaryFolder, ListenAddress) throws -> UnbufferedProxy

  private static let accepted = #"revoked_webhooks_total{event="user.session.revoked",outcome="accepted"}"#
  private static let answered = #"revoked_http_requests_total{listener="public",code="200"}"#
  private static let connections = #"revoked_connections{listener="public"}"#

  /// The variable makes it a soak.
  private static let events = ProcessInfo.processInfo.environment["REVOKED_PROXY_EVENTS"].flatMap(Int.init) ?? 10_000

  private func deliver(through makeProxy: MakeProxy) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let proxy = try makeProxy(server.folder, server.address)
    let clients = try (0..<8).map { _ in try Client(proxy.local) }
    var next = try deliveries(round: 0, to: clients.count)
    for round in 0..<Self.events / clients.count {
      let deliveries = next
      // All bodies are under way at the same time.
      for (client, delivery) in zip(clients, deliveries) { client.send(delivery[0]) }
      // Signing takes as long as a proxy needs to pass the first pieces on.
      next = try self.deliveries(round: round + 1, to: clients.count)
      for piece in 1...2 {
        for (client, delivery) in zip(clients, deliveries) { client.send(delivery[piece]) }
      }
      for client in clients {
        let answer = client.read(until: "}")
        try #require(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix(#"{"status":"accepted"}"#), "\(answer)")
      }
    }
    // An answer too many would still lie in a connection.
    for client in clients {
      client.endSending()
      #expect(client.read() == "")
    }
    let sent = Double(Self.events / clients.count * clients.count)
    #expect(try server.metric("revoked_sessions_revoked") == sent)
    #expect(try server.metric(Self.accepted) == sent)
    #expect(try server.metric(Self.answered) == sent)
    #expect(try server.metric("revoked_signature_failures_total") == 0)
    #expect(try (server.metric(Self.connections) ?? .infinity) <= Double(clients.count))
  }

  private func abort(through makeProxy: MakeProxy) throws {
    // The receiver's patience outlasts the test: what ends a connection is the client's end, passed on by the proxy.
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_TIMEOUTS_BODY": "60s"])
    let proxy = try makeProxy(server.folder, server.address)
    let count = 200
    var clients = try (0..<count).map { number in
      // The half that arrives is a signed event, the other would be white space: taken for the whole, it would count.
      let event = DeliveryTests.event(session: UUID().uuidString.lowercased())
      let whole = event + String(repeating: " ", count: event.utf8.count)
      let signature = try DeliveryTests.sign(event)
      let chunked = number % 2 == 0
      let client = try Client(proxy.tcp)
      client.send(head(signature, length: chunked ? nil : whole.utf8.count) + (chunked ? chunk(event[...]) : event))
      return client
    }
    #expect(try eventually { try server.metric(Self.connections) == Double(count) })
    for client in clients { client.reset() }
    clients = []
    #expect(try eventually { try (server.metric(Self.connections) ?? .infinity) <= 8 })
    #expect(try server.metric("revoked_sessions_revoked") == 0)

    for (address, chunked) in [(proxy.tcp, false), (proxy.local, true)] {
      let event = DeliveryTests.event(session: UUID().uuidString.lowercased())
      let client = try Client(address)
      client.send(try pieces(of: event, cuts: [0, 100], chunked: chunked).joined())
      #expect(client.read(until: "}").hasSuffix(#"{"status":"accepted"}"#))
    }
    #expect(try server.metric("revoked_sessions_revoked") == 2)
    #expect(try server.metric(Self.accepted) == 2)
    #expect(try server.metric(Self.answered) == 2)
    #expect(try server.metric("revoked_signature_failures_total") == 0)
    #expect(try server.metric(#"revoked_dead_letters{handler=""}"#) == 0)
  }

  /// One for each client. Every connection carries both kinds, and the cuts wander over the whole body.
  private func deliveries(round: Int, to clients: Int) throws -> [[String]] {
    try (0..<clients).map { client in
      var event = DeliveryTests.event(session: UUID().uuidString.lowercased())
      // More than either proxy's buffer, so that it reaches the receiver in several pieces whatever their pace.
      if round % 16 == 0 { event += String(repeating: " ", count: 40_000) }
      return try pieces(of: event, cuts: [round * 7, round * 13 + client], chunked: (round + client) % 2 == 0)
    }
  }

  /// A signed delivery in three pieces, the first with the head. `cuts` are taken modulo the body's length.
  private func pieces(of event: String, cuts: [Int], chunked: Bool) throws -> [String] {
    // An event is ASCII. A chunk of no bytes would end the body: none of the three is empty.
    let length = event.utf8.count
    let first = 1 + cuts[0] % (length - 2)
    let second = first + 1 + cuts[1] % (length - first - 1)
    let bounds = [0, first, second, length].map { event.utf8.index(event.startIndex, offsetBy: $0) }
    let parts = zip(bounds, bounds.dropFirst()).map { event[$0..<$1] }
    let head = head(try DeliveryTests.sign(event), length: chunked ? nil : length)
    guard chunked else { return [head + parts[0], String(parts[1]), String(parts[2])] }
    return [head + chunk(parts[0]), chunk(parts[1]), chunk(parts[2]) + "0\r\n\r\n"]
  }

  private func chunk(_ part: Substring) -> String { "\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n" }

  /// Without a length the body is chunked.
  private func head(_ signature: String, length: Int?) -> String {
    "POST /webhooks/dynamic HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\n"
      + "x-dynamic-signature-256: \(signature)\r\n"
      + (length.map { "Content-Length: \($0)\r\n\r\n" } ?? "Transfer-Encoding: chunked\r\n\r\n")
  }
}
