import Dispatch
import DynamicEvents
import Foundation
import HTTPServer
import Handlers
import Logging
import Receiver
import Signature
import Synchronization
import TestSupport
import Testing

@Suite("A receiver inside another program", .timeLimit(.minutes(2)))
struct ReceiverTests {
  let folder: TemporaryFolder
  let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  init() throws {
    folder = try TemporaryFolder()
  }

  func configuration() throws -> ReceiverConfiguration {
    var configuration = try ReceiverConfiguration(secrets: [Secret(Vector.secret)])
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
    configuration.data = folder.data
    return configuration
  }

  func head(_ body: String, _ fields: String = "") throws -> String {
    let code = try HMACSHA256(key: Secret(Vector.secret)).code(for: Array(body.utf8).span)
    return "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(fields)"
      + "\(SignatureHeader.name): \(SignatureHeader.value(for: code))\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
  }

  func exchange(_ request: String, _ address: ListenAddress?) throws -> String {
    let client = try Client(address)
    client.send(request)
    return client.read()
  }

  @Test func `hands a posted event to the program's own handler, as it was signed`() async throws {
    let collector = Collector()
    let receiver = try Receiver(
      configuration(), handlers: [HandlerRegistration("own", handler: collector)], logger: logger)
    receiver.start()
    let vector = Vector.sessionRevoked
    #expect(try exchange(head(vector.text) + vector.text, receiver.address).hasSuffix(#"{"status":"accepted"}"#))
    let event = try #require(await collector.next())
    #expect(event.body == vector.body)
    #expect(event.envelope.eventId == "22222222-2222-4222-8222-222222222222")
    guard case .sessionRevoked(let session, by: .user) = event.payload else {
      Issue.record("\(event.payload)")
      return
    }
    #expect("\(session.id)" == "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")
    let lookUp = "GET /v1/sessions/\(session.id) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    #expect(try exchange(lookUp, receiver.privateAddress).contains(#""revoked":true"#))
    await receiver.stop()
  }

  @Test func `picks ports that are free, and two receivers live side by side`() async throws {
    let first = try Receiver(configuration(), logger: logger)
    let other = try TemporaryFolder()
    var elsewhere = try configuration()
    elsewhere.data = other.data
    let second = try Receiver(elsewhere, logger: logger)
    for receiver in [first, second] { receiver.start() }
    let addresses = [first.address, first.privateAddress, second.address, second.privateAddress].compactMap {
      $0?.description
    }
    #expect(Set(addresses).count == 4)
    #expect(!addresses.contains("127.0.0.1:0"))
    for receiver in [first, second] { await receiver.stop() }
  }

  @Test func `is refused without a secret`() throws {
    var configuration = try configuration()
    configuration.secrets = []
    let error = #expect(throws: ReceiverError.self) { try Receiver(configuration, logger: logger) }
    #expect(error?.description == "a receiver needs at least one webhook secret")
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }

  @Test func `is refused with two handlers of one name`() throws {
    let handlers = ["a", "b", "a"].map { HandlerRegistration($0, handler: Collector()) }
    let error = #expect(throws: ReceiverError.self) {
      try Receiver(configuration(), handlers: handlers, logger: logger)
    }
    #expect(error?.description == "two handlers are named a")
    #expect(!FileManager.default.fileExists(atPath: folder.data))
  }

  @Test func `refuses new handlers two of which have one name, and changes nothing`() async throws {
    let receiver = try Receiver(configuration(), logger: logger)
    let twice = (1...2).map { _ in HandlerRegistration("a", handler: Collector()) }
    await #expect(throws: ReceiverError.self) { try await receiver.replaceHandlers(twice) }
    try await receiver.replaceHandlers([HandlerRegistration("a", handler: Collector())])
    await receiver.stop()
  }

  @Test func `is refused on a folder that another one serves, and has it once that one has stopped`() async throws {
    let first = try Receiver(configuration(), logger: logger)
    first.start()
    let error = #expect(throws: ReceiverError.self) { try Receiver(configuration(), logger: logger) }
    #expect(error?.description.contains("is in use by another server") == true)
    await first.stop()
    let second = try Receiver(configuration(), logger: logger)
    second.start()
    await second.stop()
  }

  @Test func `finishes what has begun when it stops, and has stored it`() async throws {
    let body = Vector.sessionRevoked.text
    let receiver = try Receiver(configuration(), logger: logger)
    receiver.start()
    let client = try Client(receiver.address)
    client.send(try head(body, "Expect: 100-continue\r\n"))
    #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    async let stopped: Void = receiver.stop()
    while (try? Client(receiver.address)) != nil { await Task.yield() }
    client.send(body)
    #expect(client.read().hasSuffix(#"{"status":"accepted"}"#))
    await stopped

    let second = try Receiver(configuration(), logger: logger)
    second.start()
    #expect(try exchange(head(body) + body, second.address).hasSuffix(#"{"status":"duplicate"}"#))
    await second.stop()
  }

  @Test func `leaves nothing running when it is stopped while it starts`() async throws {
    // A file of attempts as a killed process leaves it: the start then logs a line between what it begins.
    let killed = try Receiver(configuration(), logger: logger)
    killed.start()
    let attempts = URL(filePath: "\(folder.data)/attempts")
    let left = try Data(contentsOf: attempts)
    await killed.stop()
    try left.write(to: attempts)

    let starting = Mutex<Receiver?>(nil)
    let log = LogCollector { message in
      guard message.hasPrefix("the process before this one"), let receiver = starting.withLock({ $0 }) else { return }
      let stopped = DispatchSemaphore(value: 0)
      Task.detached {
        await receiver.stop()
        stopped.signal()
      }
      // Room for a stop that does not wait for the start.
      _ = stopped.wait(timeout: .now() + .milliseconds(300))
    }
    var handler: Forgetful? = Forgetful()
    weak let kept = handler
    var configuration = try configuration()
    // The watch over Dynamic is what begins last.
    configuration.dynamic = DynamicConfiguration(
      token: try Secret(Vector.secret), environmentID: "55555555-5555-4555-8555-555555555555")
    configuration.dynamic?.apiURL = "http://127.0.0.1:1"
    var receiver: Receiver? = try Receiver(
      configuration, handlers: [HandlerRegistration("own", handler: #require(handler))], logger: log.logger)
    starting.withLock { [receiver] in $0 = receiver }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [receiver] in
        receiver?.start()
        continuation.resume()
      }
    }
    #expect(log.messages.contains { $0.hasPrefix("the process before this one") })
    await receiver?.stop()
    // What still runs keeps the handlers.
    (receiver, handler) = (nil, nil)
    starting.withLock { $0 = nil }
    while kept != nil { await Task.yield() }
  }

  @Test func `does not listen before the store is open, so that nobody waits for an answer meanwhile`() async throws {
    let path = "/tmp/revoked-test-\(UUID().uuidString.prefix(8)).sock"
    let attempts = Mutex<[Bool]>([])
    let log = LogCollector { _ in
      let isConnected = (try? Client(.unix(path: path))) != nil
      attempts.withLock { $0.append(isConnected) }
    }
    var configuration = try configuration()
    configuration.privateListen = .unix(path: path)
    let receiver = try Receiver(configuration, logger: log.logger)
    // "a new store was made", at least.
    let made = attempts.withLock { $0 }
    #expect(!made.isEmpty && !made.contains(true))
    receiver.start()
    #expect(
      try exchange("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", .unix(path: path)).contains("200"))
    await receiver.stop()
  }

  @Test func `does not keep the folder when an address is taken`() async throws {
    let taken = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "taken")
    var busy = try configuration()
    busy.privateListen = taken.address
    let handlers = [HandlerRegistration("own", handler: Collector())]
    let error = #expect(throws: ReceiverError.self) { try Receiver(busy, handlers: handlers, logger: logger) }
    #expect(error?.description == "cannot listen on \(taken.address): Address already in use")
    let receiver = try Receiver(configuration(), handlers: handlers, logger: logger)
    receiver.start()
    await receiver.stop()
  }

  @Test func `stops although a handler hangs, and offers the event again after the next start`() async throws {
    struct Hanging: EventHandler {
      let collector: Collector
      func handle(_ event: Event) async throws {
        try await collector.handle(event)
        // Until the stop cancels it.
        for await _ in AsyncStream<Void>.makeStream().stream {}
        throw CancellationError()
      }
    }
    let (first, second) = (Collector(), Collector())
    let vector = Vector.sessionRevoked
    let hanging = try Receiver(
      configuration(), handlers: [HandlerRegistration("own", handler: Hanging(collector: first))], logger: logger)
    hanging.start()
    #expect(try exchange(head(vector.text) + vector.text, hanging.address).hasSuffix(#"{"status":"accepted"}"#))
    #expect(await first.next()?.body == vector.body)
    await hanging.stop()
    // The handler has used up the time of the stop. So on a slow disk the store may be closed a moment later.
    let configuration = try configuration()
    var next: Receiver?
    while next == nil {
      do throws(ReceiverError) {
        next = try Receiver(
          configuration, handlers: [HandlerRegistration("own", handler: second)], logger: logger)
      } catch {
        guard error.description.contains("is in use by another server") else { throw error }
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    let receiver = try #require(next)
    receiver.start()
    #expect(await second.next()?.body == vector.body)
    await receiver.stop()
  }

  #if PostgreSQL
    @Test func `on PostgreSQL keeps the folder until its stop, whoever still has the descriptor`() async throws {
      var configuration = try configuration()
      configuration.store = try StoreURL(PostgreSQLServer.shared().makeDatabaseURL())
      let first = try Receiver(configuration, logger: logger)
      #expect(first.hasFolder)
      let beside = try Receiver(configuration, logger: logger)
      #expect(!beside.hasFolder)
      await beside.stop()
      // As a child has them that was forked and has not executed its program yet.
      let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
      let copies = numbers.filter { number in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
        return target == folder.data
      }.map { dup($0) }
      #expect(!copies.isEmpty)
      first.start()
      await first.stop()
      let second = try Receiver(configuration, logger: logger)
      #expect(second.hasFolder)
      for copy in copies { close(copy) }
      await second.stop()
    }

    @Test func `on PostgreSQL does without a folder that cannot be used`() async throws {
      var configuration = try configuration()
      configuration.store = try StoreURL(PostgreSQLServer.shared().makeDatabaseURL())
      configuration.data = try folder.write("", to: "file")
      let log = LogCollector()
      let receiver = try Receiver(configuration, logger: log.logger)
      #expect(log.messages.contains { $0.hasPrefix("attempts under way cannot be noted") })
      await receiver.stop()
    }
  #endif
}

private final class Forgetful: EventHandler {
  func handle(_ event: Event) async throws {}
}
