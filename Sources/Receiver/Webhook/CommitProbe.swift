internal import Dispatch
internal import Storage
internal import Synchronization

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
