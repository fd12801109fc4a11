internal import HTTPMessage
internal import HTTPServer
internal import Storage
internal import Synchronization

/// `GET /v1/revocations`: the revoked sessions in the order of their cursors, for caches in other processes.
///
/// A cache that survives our downtime:
/// 1. Read from the beginning. Remember each entry until its `expiresAt`. The last line of a whole answer has an `end`;
///    an answer without that line was cut, and is good as far as its last whole line. After `"end":"complete"` the
///    cache holds every session that was revoked when the answer began, and may answer. After `"end":"limit"` there is
///    more: ask for it at once.
/// 2. Ask for `after=CURSOR&wait=50` with the cursor of the last line, over and over. An entry may name a session that
///    is known already: the later `expiresAt` counts. An answer with nothing but its end means that nothing came.
/// 3. On 410 the cursor belongs to a history that is no more (a backup was restored): ask without `after`, and keep
///    what is remembered, since nothing un-revokes.
/// 4. On anything else, or no answer, keep what is remembered, and try again after a pause. How long to go on answering
///    "not revoked" meanwhile is the caller's decision: what was revoked since the last good answer is not known.
///
/// Used on one loop, which is not that of the look-ups: what is read here holds up none of them. Callers at the same
/// place share what is read, and are answered together when something is committed.
final class Feed {
  /// Where a caller has come to, and how many entries it wants; nil: all.
  private struct Question: Hashable {
    var position: Int64
    var limit: Int?
  }

  fileprivate enum Beginning {
    case response(Response)
    /// Nothing is behind this position.
    case nothing(Response, position: Int64)
  }

  /// Callers that wait at once; each holds a connection.
  private static let mostWaiting = 4096
  /// Answers of more than one page that are sent at once; each may hold a page in memory.
  private static let mostStreaming = 1024

  private let context: ResponderContext
  private let loop: EventLoop
  private let signal: FeedSignal
  private let pages: FeedPages
  private var waiting: [Question: [Exchange]] = [:]
  private var questions: [Exchange: Question] = [:]

  init(_ context: ResponderContext, _ loop: EventLoop, _ signal: FeedSignal) {
    self.context = context
    self.loop = loop
    self.signal = signal
    pages = FeedPages(context, loop)
    signal.connect(to: loop)
  }

  func roundEnded() { pages.roundEnded() }

  func reply(to query: FeedQuery, _ exchange: Exchange) -> Reply {
    if let cursor = query.after, !context.store.knows(cursor) { return .now(context.stamped(Answers.unknownCursor)) }
    switch begin(Question(position: query.after?.seq ?? 0, limit: query.limit)) {
    case .response(let response): return .now(response)
    case .nothing(let response, let position):
      // A snapshot is never waited for.
      guard query.after != nil, query.wait > 0, !signal.isClosed else { return .now(response) }
      guard questions.count < Self.mostWaiting else { return .now(context.stamped(Answers.unfit)) }
      wait(Question(position: position, limit: query.limit), [exchange])
      return .later(deadline: loop.now + UInt64(query.wait) * 1_000_000_000)
    }
  }

  /// The caller's time is up, or it has ended its sending.
  func interrupted(_ exchange: Exchange) -> Response? {
    guard let question = questions[exchange] else { return nil }
    gone(exchange)
    return begin(question).response
  }

  /// The caller has hung up.
  func gone(_ exchange: Exchange) {
    guard let question = questions.removeValue(forKey: exchange) else { return }
    signal.add(-1)
    waiting[question]?.removeAll { $0 == exchange }
    if waiting[question]?.isEmpty == true { waiting[question] = nil }
  }

  /// Something was committed, or the receiver stops.
  func woken() -> [(exchange: Exchange, response: Response)] {
    let last = context.store.lastRevocation
    var answers: [(exchange: Exchange, response: Response)] = []
    for question in waiting.keys where question.position < last || signal.isClosed {
      guard let exchanges = waiting.removeValue(forKey: question) else { continue }
      for exchange in exchanges { questions[exchange] = nil }
      signal.add(-exchanges.count)
      switch begin(question) {
      case .nothing(_, let position) where !signal.isClosed:
        // What was committed has expired already.
        wait(Question(position: position, limit: question.limit), exchanges)
      case .response(let response) where response.rest != nil:
        // Each goes on at its own pace.
        for (index, exchange) in exchanges.enumerated() {
          if index == 0 {
            answers.append((exchange, response))
          } else {
            answers.append((exchange, begin(question).response))
          }
        }
      case .response(let response), .nothing(let response, _):
        for exchange in exchanges { answers.append((exchange, response)) }
      }
    }
    return answers
  }

  private func begin(_ question: Question) -> Beginning {
    let answer = FeedAnswer(pages, context, after: question.position, limit: question.limit)
    var first: [UInt8] = []
    switch answer.appendNext(to: &first) {
    case .failed:
      return .response(context.stamped(Answers.unfit))
    case .more:
      guard answer.stream(atMost: Self.mostStreaming) else { return .response(context.stamped(Answers.unfit)) }
      return .response(context.stamped(Response(.ok, contentType: Self.type, first: first, rest: answer)))
    case .last:
      let response = context.stamped(Response(.ok, contentType: Self.type, body: first))
      return answer.isEmpty ? .nothing(response, position: answer.position) : .response(response)
    }
  }

  private func wait(_ question: Question, _ exchanges: [Exchange]) {
    waiting[question, default: []] += exchanges
    for exchange in exchanges { questions[exchange] = question }
    signal.add(exchanges.count)
    // What was committed since the read found no caller to wake.
    if context.store.lastRevocation > question.position || signal.isClosed {
      loop.wakeResponder()
    }
  }

  private static let type: StaticString = "application/x-ndjson"
}

extension Feed.Beginning {
  fileprivate var response: Response {
    switch self {
    case .response(let response), .nothing(let response, _): response
    }
  }
}

/// Tells the feed, on its loop, that something was committed or that the receiver stops. Costs a commit one atomic
/// operation while no caller waits.
final class FeedSignal: Sendable {
  private let waiting = Atomic(0)
  private let closed = Atomic(false)
  private let loop = Mutex<EventLoop?>(nil)

  /// The feed lets no caller wait any more.
  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func connect(to loop: EventLoop) {
    self.loop.withLock { $0 = loop }
  }

  /// To be called before the feed looks whether there is something to wait for: a commit that the feed does not see
  /// then sees this.
  func add(_ number: Int) {
    waiting.wrappingAdd(number, ordering: .acquiringAndReleasing)
  }

  /// Something was committed.
  func ring() {
    // A change, though of nothing: it stands either before the feed's own, which then sees the commit, or behind it.
    guard waiting.wrappingAdd(0, ordering: .acquiringAndReleasing).newValue > 0 else { return }
    loop.withLock { $0 }?.wakeResponder()
  }

  /// Ends all waits.
  func close() {
    closed.store(true, ordering: .releasing)
    loop.withLock { loop in
      defer { loop = nil }
      return loop
    }?.wakeResponder()
  }
}
