internal import AccessTokens
internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import Outgoing
internal import Storage
internal import Synchronization

/// The environment's keys: fetched before the server is ready, every hour, and when a token names one that is not
/// known. Kept in the store, so that a start while Dynamic is away can verify as well.
///
/// A set that was fetched replaces the one before as a whole, so a key that Dynamic removed counts no longer. A fetch
/// that fails, or brings no usable key, changes nothing until the keys at hand are too old.
final class KeyRing: Sendable {
  /// Returns the bytes of the key set. Must end within some seconds, whatever the peer does.
  typealias Fetch = @Sendable () async throws -> [UInt8]

  /// What to do with a token whose key is not known.
  enum Search {
    /// The key does not exist: the token is not genuine.
    case absent
    /// It cannot be told yet.
    case tooSoon
    /// A fetch is under way, and the waiter is called when it is over.
    case waiting
  }

  private struct Known {
    let keys: KeySet
    let text: [UInt8]
  }

  private struct State {
    var known: Known?
    var isFetching = false
    var failures = 0
    /// When the last successful fetch began.
    var fetchedAt: Timestamp?
    /// When an unknown key had keys fetched last.
    var searchedAt: ContinuousClock.Instant?
    /// Keys that tokens named before the last fetch that worked, and that it did not bring. Bounded as the waiters are.
    var absent: Set<[UInt8]> = []
    var wanted: Set<[UInt8]> = []
    var waiters: [@Sendable () -> Void] = []
    /// Numbers the alarms, so that an old one does nothing.
    var alarm = 0
    var isStopped = false
  }

  /// Between two fetches when all is well.
  private static let refresh = Duration.seconds(3600)
  /// Between two fetches that unknown keys cause: tokens cannot make us hammer Dynamic.
  private static let searchPause = Duration.seconds(30)
  /// How far Dynamic's clock may be behind ours when a token's `iat` tells whether its key was published by then.
  private static let clockDifference: Int64 = 5000
  /// Requests that wait for a fetch, and names of keys that are remembered.
  private static let most = 1024

  private let source: String
  private let maxAge: Int64
  private let fetch: Fetch
  private let store: any Store
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private let failures: ThrottledLog
  private let queue = DispatchQueue(label: "revoked.keys")
  private let state = Mutex(State())
  /// Counts the sets, so that a loop sees at the cost of a load that it has to take the new one.
  private let versionNumber = Atomic(0)
  /// Milliseconds since 1970 until when the keys at hand count.
  private let usableUntil = Atomic<Int64>(.min)
  /// The first fetch of this process is over.
  private let hasTried = Atomic(false)

  /// - Parameter source: tells keys apart that are kept in the store: those of another environment never count here.
  init(
    source: String, maxAge: Duration, store: any Store, logger: Logger, now: @escaping @Sendable () -> Timestamp,
    fetch: @escaping Fetch
  ) {
    self.source = source
    self.maxAge = maxAge.components.seconds * 1000
    self.fetch = fetch
    self.store = store
    self.logger = logger
    self.now = now
    failures = ThrottledLog(logger, .warning, over: "the environment's keys are fetched again")
  }

  var version: Int { versionNumber.load(ordering: .acquiring) }

  var keys: KeySet? { state.withLock { $0.known?.keys } }

  /// Whether there are keys that are new enough to verify with.
  func isUsable(at now: Timestamp) -> Bool { now.milliseconds < usableUntil.load(ordering: .acquiring) }

  /// Why the server is not ready yet; `nil`: it is.
  var complaint: String? {
    if isUsable(at: now()) {
      return hasTried.load(ordering: .acquiring) ? nil : "the environment's keys are being fetched"
    }
    return "the environment's keys are not known: they could not be fetched from \(source)"
  }

  /// No fetch is under way.
  var isIdle: Bool { state.withLock { !$0.isFetching } }

  /// Takes the keys that are kept in the store, and begins to fetch.
  func start() {
    restore()
    begin()
  }

  /// From now on no fetch begins and no caller waits for one.
  func stop() {
    let waiters = state.withLock { state in
      state.isStopped = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter() }
  }

  /// Looks for a key that is not known, and calls `done` if that is waited for.
  ///
  /// - Parameter isRetry: the caller has waited already.
  func search(for key: UnknownKey, isRetry: Bool = false, done: @escaping @Sendable () -> Void) -> Search {
    let (search, begins) = state.withLock { state -> (Search, Bool) in
      if state.absent.contains(key.id), isRetry || isPausing(state) { return (.absent, false) }
      guard !isRetry, !state.isStopped, state.waiters.count < Self.most else { return (.tooSoon, false) }
      if state.isFetching || !isPausing(state) {
        let begins = !state.isFetching
        if begins { state.searchedAt = .now }
        if begins || state.wanted.count < Self.most { state.wanted.insert(key.id) }
        state.waiters.append(done)
        return (.waiting, begins)
      }
      // A key is published before it signs: one that signed before the last fetch would have been in it. `iat` names a
      // whole second.
      if let issuedAt = key.issuedAt, let fetchedAt = state.fetchedAt,
        issuedAt.milliseconds + 999 + Self.clockDifference < fetchedAt.milliseconds
      {
        return (.absent, false)
      }
      return (.tooSoon, false)
    }
    if begins { begin() }
    return search
  }

  private func isPausing(_ state: borrowing State) -> Bool {
    state.searchedAt.map { $0.duration(to: .now) < Self.searchPause } ?? false
  }

  private func begin() {
    let begins = state.withLock { state in
      guard !state.isFetching, !state.isStopped else { return false }
      state.isFetching = true
      return true
    }
    guard begins else { return }
    let begun = now()
    Task { [self] in
      do {
        let text = try await fetch()
        queue.async { self.take(text, at: begun) }
      } catch {
        queue.async { self.failed("\(error)") }
      }
    }
  }

  private func take(_ text: [UInt8], at time: Timestamp) {
    do throws(KeySet.Unusable) {
      let keys = try KeySet(text.span)
      failures.worked()
      keep(text, at: time)
      use(Known(keys: keys, text: text), fetchedAt: time)
      end(worked: true)
    } catch {
      failed(error.description)
    }
  }

  private func failed(_ reason: String) {
    failures.failed("the environment's keys cannot be fetched", ["reason": "\(reason)", "url": "\(source)"])
    end(worked: false)
  }

  private func use(_ known: Known, fetchedAt: Timestamp) {
    usableUntil.store(fetchedAt.milliseconds + maxAge, ordering: .releasing)
    let isNew = state.withLock { state in
      state.fetchedAt = fetchedAt
      let ids = Set(known.keys.ids)
      state.absent = state.wanted.subtracting(ids)
      guard state.known?.text != known.text else { return false }
      state.known = known
      versionNumber.wrappingAdd(1, ordering: .releasing)
      return true
    }
    if isNew {
      logger.notice(
        "tokens are verified with these keys", metadata: ["keys": "\(known.keys.keyIDs.joined(separator: " "))"])
    }
  }

  private func end(worked: Bool) {
    hasTried.store(true, ordering: .releasing)
    let (waiters, pause, alarm) = state.withLock { state in
      state.isFetching = false
      state.failures = worked ? 0 : state.failures + 1
      state.alarm += 1
      defer { (state.waiters, state.wanted) = ([], []) }
      return (state.waiters, Self.pause(after: state.failures), state.alarm)
    }
    for waiter in waiters { waiter() }
    queue.asyncAfter(deadline: .now() + pause) { [weak self] in
      guard let self, state.withLock({ $0.alarm == alarm }) else { return }
      begin()
    }
  }

  /// After failures 1 s, 2 s, 4 s … 60 s, and a little at random, so that many servers do not come at once.
  private static func pause(after failures: Int) -> DispatchTimeInterval {
    let seconds = failures == 0 ? Int(refresh.components.seconds) : min(60, 1 << min(failures - 1, 6))
    return .milliseconds(seconds * 1000 - .random(in: 0...(seconds * 100)))
  }

  /// `MILLISECONDS SOURCE`, a line feed, and the set as it was fetched.
  private func keep(_ text: [UInt8], at time: Timestamp) {
    let value = "\(time.milliseconds) \(source)\n" + String(decoding: text, as: UTF8.self)
    do throws(StoreError) {
      try store.setState(.keySet, to: value)
    } catch {
      logger.warning("the environment's keys cannot be kept in the store", metadata: ["error": "\(error)"])
    }
  }

  private func restore() {
    guard let value = try? store.state(.keySet), let lineEnd = value.utf8.firstIndex(of: UInt8(ascii: "\n")) else {
      return
    }
    let head = value[..<lineEnd].split(separator: " ", maxSplits: 1)
    guard head.count == 2, head[1] == source, let milliseconds = Int64(head[0]) else { return }
    let text = Array(value.utf8[value.utf8.index(after: lineEnd)...])
    guard let keys = try? KeySet(text.span) else { return }
    // A clock that was ahead must not make them count for longer than from now on.
    use(Known(keys: keys, text: text), fetchedAt: min(Timestamp(milliseconds: milliseconds), now()))
  }
}

/// Fetches an environment's key set. What the peer does cannot make it take longer or more than the limits say.
struct KeySource: Sendable {
  struct Unusable: Error, CustomStringConvertible {
    let description: String
  }

  private let request: OutgoingRequest

  init(_ verification: TokenVerification) {
    var request = OutgoingRequest(.get, verification.keysURL)
    request.fields = [("Accept", "application/json")]
    request.authorities = verification.authorities
    // Requests may be waiting for it.
    request.limits.connectTime = .seconds(3)
    request.limits.time = .seconds(5)
    request.limits.bodyBytes = KeySet.maximumBytes
    self.request = request
  }

  func fetch() async throws -> [UInt8] {
    let response = try await HTTPClient.shared.response(to: request)
    guard response.status == 200 else { throw Unusable(description: "the answer is \(response.status)") }
    if let cut = response.cut { throw Unusable(description: "the answer is not whole: \(cut)") }
    return response.body
  }
}
