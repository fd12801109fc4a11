import Foundation
import HTTPMessage
import HTTPServer
import Synchronization
import TestSupport
import Testing

@Suite("Connections move between the main and the side loop", .timeLimit(.minutes(2)))
struct SideLoopTests {
  let waiting = Echo.Waiting()

  func server() throws -> HTTPServer {
    let server = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 2, hasSideLoop: true, label: "test")
    server.start { [waiting] in Echo($0, waiting) }
    return server
  }

  func post(_ path: String, _ body: String, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
  }

  @Test(arguments: [1, 7, 5000])
  func `and lose no request and no answer, in whichever pieces they come`(cut: Int) async throws {
    let server = try server()
    let client = try Client(server.address)
    var requests = ""
    var expected: [String] = []
    for number in 0..<60 {
      let isSide = number % 3 == 1 || number % 7 == 0
      requests += post(isSide ? "/side" : "/", "<\(number)>")
      expected.append(isSide ? "side <\(number)>" : "<\(number)>")
    }
    let bytes = Array((requests + post("/side", "<end>", "Connection: close\r\n")).utf8)
    for start in stride(from: 0, to: bytes.count, by: cut) {
      client.send(String(decoding: bytes[start..<min(start + cut, bytes.count)], as: UTF8.self))
    }
    let answers = client.read()
    let bodies = answers.matches(of: /(?:side )?<\w+>/).map { String($0.0) }
    #expect(bodies == expected + ["side <end>"])
    while server.counters.connections.load(ordering: .relaxed) > 0 { await Task.yield() }
    await server.drain()
  }

  @Test func `behind replies that the peer has not taken yet`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(post("/large", "") + post("/large", "") + post("/side", "<end>", "Connection: close\r\n"))
    let answers = client.read()
    #expect(answers.utf8.count > 2 << 20)
    #expect(answers.hasSuffix("side <end>"))
    await server.drain()
  }

  @Test func `with content that came in pieces`() async throws {
    let server = try server()
    let client = try Client(server.address)
    client.send(
      "POST /side HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<one>\r\n0\r\n\r\n" + post("/", "<two>")
    )
    #expect(client.read(until: "<two>").contains("side <one>"))
    await server.drain()
  }

  @Test func `and get their answers while the server drains`() async throws {
    let server = try server()
    let clients = try (0..<4).map { _ in try Client(server.address) }
    for client in clients { client.send(post("/side-later", "")) }
    await waiting.reaches(4)
    async let drained: Void = server.drain()
    while (try? Client(server.address)) != nil { await Task.yield() }
    waiting.answerAll("late")
    for client in clients {
      let answer = await client.readAside()
      #expect(answer.contains("late"))
    }
    await drained
    // Drained already: returns at once.
    await server.drain()
  }

  @Test func `and are closed by an abort, wherever they are`() async throws {
    let server = try server()
    let clients = try (0..<4).map { _ in try Client(server.address) }
    for client in clients { client.send(post("/side-later", "")) }
    await waiting.reaches(4)
    server.abort()
    for client in clients { #expect(await client.readAside() == "") }
    await server.drain()
  }
}
