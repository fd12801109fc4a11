internal import Dispatch
internal import HTTPMessage
internal import HTTPServer
internal import RevocationStore
internal import Synchronization

/// `GET /v1/revocations`: the revoked sessions in the order of their cursors, for caches in other processes.
///
/// A cache that survives our downtime:
/// 1. Read from the beginning. Remember each entry until its `expiresAt`, and the last entry's `cursor`. Once an answer has ended whole (its last chunk
///    is there), the cache holds every session that was revoked at that moment, and may answer.
/// 2. Ask for `after=CURSOR&wait=50`, over and over. An entry may name a session that is known already: the later `expiresAt` counts. An
///    empty answer means that nothing came; one that is cut off is good as far as its last whole line.
/// 3. On 410 the cursor belongs to a history that is no more (a backup was restored): ask without `after`, and keep what is remembered, since
///    nothing un-revokes.
/// 4. On anything else, or no answer, keep what is remembered, and try again after a pause. How long to go on answering "not revoked" meanwhile is
///    the caller's decision: what was revoked since the last good answer is not known.
final class Feed: Sendable {
  private struct Question: Sendable {
    let exchange: Exchange
    let loop: EventLoop
    /// Where the caller has come to, past what has expired.
    var position: Int64
    let limit: Int?
    let deadline: DispatchTime
  }

  private struct State {
    var waiting: [Question] = []
    var isClosed = false
    /// When the next alarm goes off.
    var alarm = DispatchTime.distantFuture
  }

  /// Callers that wait at once, including those that have gone without our knowing; whoever comes beyond it is answered without a wait.
  private static let most = 4096

  private let service: Service
  /// Reads happen here, so that a cold page holds up no look-up.
  private let queue = DispatchQueue(label: "revoked.feed")
  private let state = Mutex(State())

  init(_ service: Service) {
    self.service = service
  }

  /// Answers through the loop, now or when something comes.
  func ask(_ query: FeedQuery, _ exchange: Exchange, on loop: EventLoop) {
    if let cursor = query.after, !service.store.knows(cursor) {
      return loop.answer([(exchange, service.stamped(Answers.unknownCursor))])
    }
    let question = Question(
      exchange: exchange, loop: loop, position: query.after?.seq ?? 0, limit: query.limit,
      deadline: .now() + .seconds(query.wait))
    queue.async { self.read(question) }
  }

  /// Something was committed.
  func wake() {
    let last = service.store.lastRevocation.load(ordering: .acquiring)
    let woken = take { $0.position < last }
    guard !woken.isEmpty else { return }
    queue.async { for question in woken { self.read(question) } }
  }

  /// Ends all waits, and lets nobody wait any more.
  func close() {
    state.withLock { $0.isClosed = true }
    queue.async { for question in self.take(where: { _ in true }) { self.answer(question, Self.nothing) } }
  }

  private func read(_ question: Question) {
    let body = FeedBody(service, after: question.position, limit: question.limit)
    var first: [UInt8] = []
    switch body.appendNext(to: &first) {
    case .failed: answer(question, Answers.unfit)
    case .more where first.isEmpty:
      // A page of what has expired is no answer. On behind whoever else asks.
      var question = question
      question.position = body.position
      queue.async { [question] in self.read(question) }
    case .more: answer(question, Response(.ok, contentType: Self.type, first: first, rest: body))
    case .last where !first.isEmpty: answer(question, Response(.ok, contentType: Self.type, body: first))
    case .last:
      var question = question
      question.position = body.position
      wait(question)
    }
  }

  private func wait(_ question: Question) {
    let isWaiting = state.withLock { state in
      guard !state.isClosed, question.deadline > .now(), state.waiting.count < Self.most else { return false }
      state.waiting.append(question)
      return true
    }
    guard isWaiting else { return answer(question, Self.nothing) }
    setAlarm()
    // What was committed between the read and the entry found nobody to wake.
    wake()
  }

  /// One alarm for the earliest deadline, however many wait and however often.
  private func setAlarm() {
    let due = state.withLock { state -> DispatchTime? in
      guard let due = state.waiting.map(\.deadline).min(), due < state.alarm else { return nil }
      state.alarm = due
      return due
    }
    guard let due else { return }
    queue.asyncAfter(deadline: due) { [self] in
      // A later alarm that was overtaken by this one finds nothing to do.
      state.withLock { if $0.alarm == due { $0.alarm = .distantFuture } }
      let now = DispatchTime.now()
      for question in take(where: { $0.deadline <= now }) { answer(question, Self.nothing) }
      setAlarm()
    }
  }

  private func take(where isTaken: (Question) -> Bool) -> [Question] {
    state.withLock { state in
      let taken = state.waiting.filter(isTaken)
      if !taken.isEmpty { state.waiting.removeAll(where: isTaken) }
      return taken
    }
  }

  private func answer(_ question: Question, _ response: Response) {
    question.loop.answer([(question.exchange, service.stamped(response))])
  }

  private static let type: StaticString = "application/x-ndjson"
  private static let nothing = Response(.ok, contentType: type, body: [])
}
