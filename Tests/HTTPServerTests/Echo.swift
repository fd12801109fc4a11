import Dispatch
import HTTPMessage
import HTTPServer
import Synchronization

/// Answers with the request's body. `/later` is answered when the test says so, `/large` with a megabyte, `/page` with
/// the body behind 64 KiB, `/refused` is refused before its body, `/hold` holds the loop until the test lets it go, and
/// `/side` and `/side-later` are the side loop's.
final class Echo: Responder {
  /// The exchanges that wait, and the loops to answer them on.
  final class Waiting: Sendable {
    let exchanges = Mutex<[(EventLoop, Exchange)]>([])
    fileprivate let holding = Mutex<EventLoop?>(nil)
    fileprivate let release = DispatchSemaphore(value: 0)

    /// Returns the loop once `/hold` holds it.
    func held() async -> EventLoop {
      while true {
        if let loop = holding.withLock({ $0 }) { return loop }
        await Task.yield()
      }
    }

    func letGo() {
      holding.withLock { $0 = nil }
      release.signal()
    }

    func answerAll(_ text: String) {
      let all = exchanges.withLock { waiting in
        defer { waiting = [] }
        return waiting
      }
      for (loop, exchange) in all { loop.answer([(exchange, Response(.ok, body: text))]) }
    }

    /// Returns when so many requests wait.
    func reaches(_ count: Int) async {
      while exchanges.withLock({ $0.count }) < count { await Task.yield() }
    }
  }

  private let loop: EventLoop
  private let waiting: Waiting

  init(_ loop: EventLoop, _ waiting: Waiting) {
    self.loop = loop
    self.waiting = waiting
  }

  private func path(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> String {
    String(decoding: head.path.range.map { bytes[$0] }, as: UTF8.self)
  }

  func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? {
    switch path(head, bytes) {
    case "/refused": return .now(Response(problem: .notFound))
    case "/refused-later":
      waiting.exchanges.withLock { $0.append((loop, exchange)) }
      return .later()
    default: return nil
    }
  }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Reply {
    switch path(head, bytes) {
    case "/later":
      waiting.exchanges.withLock { $0.append((loop, exchange)) }
      return .later()
    case "/side":
      guard loop.isSide else { return loop.canMove ? .elsewhere : .now(Response(problem: .serviceUnavailable)) }
      return .now(Response(.ok, body: "side ".utf8.map { $0 } + body.indices.map { body[$0] }))
    case "/side-later":
      guard loop.isSide else { return loop.canMove ? .elsewhere : .now(Response(problem: .serviceUnavailable)) }
      waiting.exchanges.withLock { $0.append((loop, exchange)) }
      return .later()
    case _ where loop.isSide && loop.canMove: return .elsewhere
    case "/hold":
      waiting.holding.withLock { $0 = loop }
      // A test that fails before it lets go does not keep the loop for ever.
      _ = waiting.release.wait(timeout: .now() + 120)
      return .now(Response(.ok, body: body.indices.map { body[$0] }))
    case "/large": return .now(Response(.ok, body: [UInt8](repeating: 0x78, count: 1 << 20)))
    case "/page":
      let padding = [UInt8](repeating: 0x78, count: 65_536)
      return .now(Response(.ok, body: padding + body.indices.map { body[$0] }))
    default: return .now(Response(.ok, contentType: "text/plain", body: body.indices.map { body[$0] }))
    }
  }

  func roundEnded() {}
}
