import HTTPMessage
import HTTPServer
import Synchronization

/// What stands behind forward-auth: answers every request with that request as it arrived, or with a fixed text, and
/// counts them.
final class Application: Sendable {
  private let server: HTTPServer
  private let counter = Counter()

  private final class Counter: Sendable {
    let requests = Atomic(0)
  }

  init(answer: String? = nil) throws {
    server = try HTTPServer(
      listen: .tcp(host: "127.0.0.1", port: 0), limits: ServerLimits(), loops: 1, label: "application")
    server.start { [counter] _ in Mirror(counter, answer) }
  }

  deinit { server.abort() }

  var address: ListenAddress { server.address }
  var requests: Int { counter.requests.load(ordering: .relaxed) }

  private final class Mirror: Responder {
    private let counter: Counter
    private let answer: String?

    init(_ counter: Counter, _ answer: String?) {
      self.counter = counter
      self.answer = answer
    }

    func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? { nil }

    func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange)
      -> Reply
    {
      counter.requests.wrappingAdd(1, ordering: .relaxed)
      if let answer { return .now(Response(.ok, contentType: "text/plain", body: answer)) }
      let seen = bytes.indices.map { bytes[$0] } + body.indices.map { body[$0] }
      return .now(Response(.ok, contentType: "text/plain", body: seen))
    }

    func roundEnded() {}
  }
}
