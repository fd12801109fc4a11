internal import Bytes
internal import Dispatch
internal import HTTPMessage
internal import Storage
internal import Synchronization

/// Ready means: a commit reached the disk just now, the handlers' lanes run, and the server is not stopping.
final class Readiness: Sendable {
  private let context: ResponderContext
  private let lanesRun: @Sendable () -> Bool
  private let complaint: @Sendable () -> String?

  /// - Parameter complaint: why something else than the store and the lanes is not ready; `nil`: it is.
  init(
    _ context: ResponderContext, complaint: @escaping @Sendable () -> String? = { nil },
    lanesRun: @escaping @Sendable () -> Bool
  ) {
    self.complaint = complaint
    self.context = context
    self.lanesRun = lanesRun
  }

  /// The answer of `/readyz`, with the first reason.
  func probe(_ answer: @escaping @Sendable (Response) -> Void) {
    ask { reasons in
      answer(reasons.first.map(Self.unready) ?? Response(.ok, body: #"{"ready":true}"#))
    }
  }

  /// Calls back with why the server is not ready, a sentence each: none when it is. Many may ask at once; they share
  /// one commit.
  func ask(_ answer: @escaping @Sendable ([String]) -> Void) {
    // Its store is about to be closed: no probe.
    if context.isDraining.load(ordering: .relaxed) { return answer(["draining"]) }
    var reasons: [String] = []
    if let complaint = complaint() { reasons.append(complaint) }
    if !lanesRun() { reasons.append("a handler's lane has ended") }
    context.probe.ask(context.inbox) { [context, reasons] result in
      switch result {
      case .success?:
        // Where no delivery comes, this is the only commit.
        context.commits.worked()
        answer(reasons)
      case .failure(let error)?: answer(reasons + [error.description])
      case nil: answer(reasons + ["the store does not answer"])
      }
    }
  }

  private static func unready(_ reason: String) -> Response {
    var body: [UInt8] = []
    body.append(contentsOf: #"{"ready":false,"reason":"#)
    JSONText.append(reason, to: &body)
    body.append(UInt8(ascii: "}"))
    return Response(.serviceUnavailable, fields: [RefusalReason.unfit.field], body: body)
  }
}

/// Whether a commit reaches the disk now, found out on the writer's own queue, so that a stuck writer shows.
///
/// Readiness asks, and so does a signed ping: it is answered 200 only where an event would be.
final class CommitProbe: Sendable {
  /// `nil`: the store did not answer in time.
  typealias Answer = @Sendable (Result<Void, StoreError>?) -> Void

  private struct State {
    /// Numbers the probes, so that a probe and its alarm end their own and no later one.
    var round = 0
    /// Those who wait for the probe that is under way. Bounded by the connections of both listeners.
    var waiting: [Answer] = []
  }

  /// A caller that would wait longer is told that the store does not answer.
  private static let patience = DispatchTimeInterval.seconds(2)
  /// How long a commit proves that the next one would succeed. Pings, however many, cost four commits a second at most.
  private static let proof: UInt64 = 250_000_000
  /// How long a look at the store's files counts: pings come in rounds of a few, and a look is three system calls.
  private static let sight: UInt64 = 10_000_000

  private let store: any Store
  private let state = Mutex(State())
  /// In nanoseconds of the monotonic clock; 0 when the last one failed.
  private let lastCommit = Atomic<UInt64>(0)
  /// When the store's files were last seen, by the same clock.
  private let lastSight = Atomic<UInt64>(0)

  init(_ store: any Store) {
    self.store = store
  }

  func committed() { lastCommit.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed) }

  func failed() { lastCommit.store(0, ordering: .relaxed) }

  /// Whether a commit has succeeded just now, none has failed since, and the store's files are those that were opened.
  var isProven: Bool {
    let now = DispatchTime.now().uptimeNanoseconds
    guard now &- lastCommit.load(ordering: .relaxed) < Self.proof else { return false }
    if now &- lastSight.load(ordering: .relaxed) < Self.sight { return true }
    do throws(StoreError) {
      try store.checkIsReliable()
      lastSight.store(now, ordering: .relaxed)
      return true
    } catch {
      return false
    }
  }

  /// Makes a commit and tells what became of it. Many may ask at once; they share one.
  func ask(_ inbox: Inbox, _ answer: @escaping Answer) {
    let begun: Int? = state.withLock { state in
      state.waiting.append(answer)
      guard state.waiting.count == 1 else { return nil }
      state.round += 1
      return state.round
    }
    guard let round = begun else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { [self] in finish(round, nil) }
    inbox.probe { [self] result in
      switch result {
      case .success: committed()
      case .failure: failed()
      }
      finish(round, result)
    }
  }

  private func finish(_ round: Int, _ result: Result<Void, StoreError>?) {
    let answers = state.withLock { state -> [Answer] in
      guard state.round == round else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for answer in answers { answer(result) }
  }
}
