internal import HTTPMessage
internal import HTTPServer
internal import Synchronization

/// Publishes an environment's keys over HTTP, as well or badly as a test wants, and counts who asks.
package final class KeyServer: Sendable {
  private final class State: Sendable {
    struct Publication {
      var body: [UInt8] = []
      var status = Status.ok
      var isSilent = false
      var asked = 0
      var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let publication = Mutex(Publication())
  }

  private let server: HTTPServer
  private let state = State()

  package init() throws {
    server = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "keys")
    server.start { [state] _ in Publisher(state) }
  }

  deinit { server.abort() }

  package var url: String { "http://\(server.address)/jwks" }
  package var asked: Int { state.publication.withLock { $0.asked } }

  /// Returns once it was asked more often than so.
  package func waitUntilAsked(moreThan count: Int) async {
    await withCheckedContinuation { continuation in
      let isNow = state.publication.withLock { publication in
        guard publication.asked <= count else { return true }
        publication.waiters.append((count, continuation))
        return false
      }
      if isNow { continuation.resume() }
    }
  }

  package func publish(_ keys: SigningKey...) throws {
    let text = #"{"keys":[\#(try keys.map { try $0.jwk() }.joined(separator: ","))]}"#
    publish(text: text)
  }

  package func publish(text: String) {
    state.publication.withLock { ($0.body, $0.status, $0.isSilent) = (Array(text.utf8), .ok, false) }
  }

  /// Answers 503 from now on.
  package func fail() {
    state.publication.withLock { ($0.status, $0.isSilent) = (.serviceUnavailable, false) }
  }

  /// Takes requests and answers none.
  package func fallSilent() {
    state.publication.withLock { $0.isSilent = true }
  }

  private final class Publisher: Responder {
    private let state: State

    init(_ state: State) {
      self.state = state
    }

    func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? { nil }

    func respond(
      to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange
    ) -> Reply {
      state.publication.withLock { publication in
        publication.asked += 1
        for waiter in publication.waiters where waiter.count < publication.asked { waiter.continuation.resume() }
        publication.waiters.removeAll { $0.count < publication.asked }
        return publication.isSilent ? .later() : .now(Response(publication.status, body: publication.body))
      }
    }

    func roundEnded() {}
  }
}
