import Receiver
import TestSupport
import Testing

@Suite("A receiver inside a program", .timeLimit(.minutes(2)))
struct EmbeddedTests {
  private static func session(_ text: String) throws -> SessionID { try #require(SessionID(text)) }

  private static func receiver(_ folder: TemporaryFolder) throws -> Receiver {
    var configuration = ReceiverConfiguration(secrets: [try Secret(Vector.secret)])
    configuration.data = folder.data
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.hasPrivateListener = false
    return try Receiver(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test func `says which sessions are revoked, from the moment on that their delivery was answered`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let living = try Self.session(ForwardAuthTests.living)
    let revoked = try Self.session(ForwardAuthTests.revoked)
    #expect(try await !served.receiver.isRevoked(revoked))
    try served.revoke(ForwardAuthTests.revoked)
    #expect(try await served.receiver.isRevoked(revoked))
    #expect(try await !served.receiver.isRevoked(living))
    #expect(try await served.receiver.revoked(among: [living, revoked, revoked]) == [revoked])
    #expect(try await served.receiver.revoked(among: []) == [])
    await served.receiver.stop()
    await #expect(throws: ReceiverError.self) { try await served.receiver.isRevoked(revoked) }
  }

  @Test func `hands out what is refused and then each new revocation, from any cursor on`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    try served.revoke(ForwardAuthTests.revoked)
    let reading = Task { [receiver = served.receiver] in
      var entries: [RevocationEntry] = []
      for try await entry in receiver.revocations() {
        entries.append(entry)
        if entries.count == 3 { break }
      }
      return entries
    }
    try served.revoke(ForwardAuthTests.third)
    let order = #"{"userId":"\#(VerifiedTests.user)"}"#
    let token = "X-Revoked-Token: \(ServedReceiver.token)"
    #expect(try served.ask("POST", "/v1/revocations", fields: [token], body: order).status == 200)
    let entries = try await reading.value
    guard case .session(let first, revokedAt: _) = entries[0].subject,
      case .session(let second, revokedAt: _) = entries[1].subject,
      case .user(let user, before: let before) = entries[2].subject
    else {
      Issue.record("\(entries)")
      return
    }
    #expect(try first == Self.session(ForwardAuthTests.revoked) && second == Self.session(ForwardAuthTests.third))
    #expect(user == VerifiedTests.user && before < entries[2].expiresAt)

    let cursor = try #require(RevocationCursor("\(entries[0].cursor)"))
    var rest = served.receiver.revocations(after: cursor).makeAsyncIterator()
    #expect(try await rest.next() == entries[1])
    #expect(try await rest.next() == entries[2])
    #expect(RevocationCursor("x") == nil)
    let foreign = try #require(RevocationCursor("00000000-1"))
    var lost = served.receiver.revocations(after: foreign).makeAsyncIterator()
    do throws(ReceiverError) {
      Issue.record("\(String(describing: try await lost.next()))")
    } catch {
      guard case .unknownCursor = error else { throw error }
    }
    await served.receiver.stop()
    #expect(try await rest.next() == nil)
  }

  @Test func `ends an iteration that waits when its task is cancelled`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(ForwardAuthTests.revoked)
    let (seen, signal) = AsyncStream.makeStream(of: Void.self)
    let reading = Task { [receiver = served.receiver] in
      for try await _ in receiver.revocations() { signal.yield() }
    }
    for await _ in seen { break }
    reading.cancel()
    try await reading.value
    await served.receiver.stop()
  }

  @Test(arguments: [true, false])
  func `runs until its task is cancelled, or until it is stopped`(isCancelled: Bool) async throws {
    let folder = try TemporaryFolder()
    let receiver = try Self.receiver(folder)
    let running = Task { try await receiver.run() }
    // A connection is answered, so it runs.
    let client = try Client(receiver.address)
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(await client.readAside().contains("200 OK"))
    if isCancelled { running.cancel() } else { await receiver.stop() }
    try await running.value
    // It has let go of the folder.
    let next = try Self.receiver(folder)
    await next.stop()
  }

  @Test func `does without a private listener, and shows that it is alive`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Self.receiver(folder)
    #expect(receiver.privateAddress == nil)
    receiver.start()
    receiver.start()
    try await receiver.whenAlive()
    let client = try Client(receiver.address)
    let vector = Vector.sessionRevoked
    client.send(
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-dynamic-signature-256: "
        + "\(vector.signature)\r\nContent-Length: \(vector.body.count)\r\n\r\n\(vector.text)")
    #expect(await client.readAside().contains("200 OK"))
    #expect(try await receiver.isRevoked(Self.session("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")))
    await receiver.stop()
  }

  @Test func `stops at once when it never started, lets go of its folder, and does not start any more`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Self.receiver(folder)
    let start = ContinuousClock.now
    await receiver.stop()
    await receiver.stop()
    // The drain, which there is none of, takes up to eight.
    #expect(start.duration(to: .now) < .seconds(7))
    receiver.start()
    try await receiver.run()
    let next = try Self.receiver(folder)
    next.start()
    async let first: Void = next.stop()
    async let second: Void = next.stop()
    _ = await (first, second)
  }

  @Test func `finishes what is in flight also when the task that stops it was cancelled`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Self.receiver(folder)
    receiver.start()
    let client = try Client(receiver.address)
    let vector = Vector.sessionRevoked
    client.send(
      "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nx-dynamic-signature-256: "
        + "\(vector.signature)\r\nContent-Length: \(vector.body.count)\r\n\r\n")
    #expect(await client.readAside(until: "\r\n\r\n").contains("100 Continue"))
    let stopping = Task {
      while !Task.isCancelled { await Task.yield() }
      await receiver.stop()
    }
    stopping.cancel()
    // It does not listen any more, so that it has begun to stop.
    while (try? Client(receiver.address)) != nil { await Task.yield() }
    client.send(vector.text)
    #expect(await client.readAside().contains("200 OK"))
    await stopping.value
  }

  @Test func `does not wait for ever to be alive`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Self.receiver(folder)
    // Not started, so no loop turns.
    let waiting = Task { try await receiver.whenAlive() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await receiver.stop()
  }
}
