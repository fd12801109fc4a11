import DynamicEvents
import HTTPServer
import Handlers
import Logging
import Receiver
import Signature
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ExampleTests {
  @Test("The example receives a session's revocation")
  func example() async throws {
    let folder = try TemporaryFolder()
    let (dropped, continuation) = AsyncStream.makeStream(of: SessionID.self)
    let receiver = try exampleReceiver(secret: Vector.secret, data: folder.data) { continuation.yield($0) }
    let client = try Client(receiver.address)
    client.send(
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        + "\(SignatureHeader.name): \(Vector.sessionRevoked.signature)\r\n"
        + "Content-Length: \(Vector.sessionRevoked.body.count)\r\n\r\n\(Vector.sessionRevoked.text)")
    #expect(client.read().contains("200 OK"))
    var sessions = dropped.makeAsyncIterator()
    #expect(await sessions.next() == SessionID("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"))
    await receiver.stop()
  }

  @Test("New handlers with one name twice are an error and change nothing")
  func duplicateNames() async throws {
    let folder = try TemporaryFolder()
    let twice = (1...2).map { _ in HandlerRegistration("a", handler: DropConnections { _ in }) }
    var configuration = ReceiverConfiguration(secrets: [try Secret(Vector.secret)])
    configuration.data = folder.data
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
    let receiver = try Receiver(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await #expect(throws: ReceiverError.self) { try await receiver.replaceHandlers(twice) }
    receiver.start()
    await receiver.stop()
  }
}
