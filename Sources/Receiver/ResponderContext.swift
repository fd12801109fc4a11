internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import Handlers
internal import Logging
internal import Signature
internal import Storage
internal import Synchronization

/// What the responders of all loops share.
final class ResponderContext: Sendable {
  let store: any Store
  let inbox: Inbox
  let probe: CommitProbe
  let metrics: Metrics
  let dispatcher: Dispatcher
  /// `nil`: Dynamic's API is not configured.
  let dynamic: DynamicHealth?
  /// How long a revoked session is remembered.
  let retention: Duration
  let logger: Logger
  let now: @Sendable () -> Timestamp
  let isDraining = Atomic(false)
  /// Deliveries that the store could not commit.
  let commits: ThrottledLog
  /// Deliveries for which there was no room.
  let overflows: ThrottledLog
  /// Look-ups and pages of the feed.
  let reads: ThrottledLog
  /// Of the public listener.
  let refusals: Refusals
  private let signatures: ThrottledLog
  private let pings: ThrottledLog
  private let tokens: ThrottledLog
  private let secrets: Mutex<[Secret]>
  private let secretsVersionNumber = Atomic(0)
  /// Milliseconds since 1970 of the last genuinely signed delivery; the smallest value means none yet.
  private let lastSignedMilliseconds: Atomic<Int64>
  private let lastEventField = Mutex(LastEventField())

  init(
    store: any Store, inbox: Inbox, probe: CommitProbe, metrics: Metrics, dispatcher: Dispatcher,
    dynamic: DynamicHealth?, retention: Duration,
    secrets: [Secret], path: String, logger: Logger, now: @escaping @Sendable () -> Timestamp, lastSigned: Timestamp?
  ) {
    self.store = store
    self.inbox = inbox
    self.probe = probe
    refusals = Refusals(logger, path: path)
    self.metrics = metrics
    self.dispatcher = dispatcher
    self.dynamic = dynamic
    self.retention = retention
    self.secrets = Mutex(secrets)
    self.logger = logger
    commits = ThrottledLog(logger, over: "the store commits again")
    overflows = ThrottledLog(logger)
    reads = ThrottledLog(logger, over: "the store can be read again")
    signatures = ThrottledLog(logger, .warning)
    pings = ThrottledLog(logger, .warning)
    tokens = ThrottledLog(logger, .warning)
    self.now = now
    lastSignedMilliseconds = Atomic(lastSigned?.milliseconds ?? .min)
  }

  /// When Dynamic was last heard of.
  var lastSigned: Timestamp? {
    let milliseconds = lastSignedMilliseconds.load(ordering: .relaxed)
    return milliseconds == .min ? nil : Timestamp(milliseconds: milliseconds)
  }

  /// The response with the time of the last signed delivery, which lets a caller tell quiet from broken.
  func stamped(_ response: consuming Response) -> Response {
    guard let lastSigned else { return response }
    let line = lastEventField.withLock { $0.line(for: lastSigned) }
    if response.line.isEmpty { response.line = line } else { response.line.append(contentsOf: line) }
    return response
  }

  func lookUpFailed(_ error: StoreError) {
    reads.failed("the store cannot be read; look-ups are answered 503", ["error": "\(error)"])
  }

  func forgeries(_ count: Int) {
    signatures.failed(
      "signature missing or wrong; answered 401. If Dynamic sent it, compare the secret with the one in its dashboard",
      count: count)
  }

  func unverifiedPings(_ count: Int) {
    pings.failed(
      """
      a ping whose signature is missing or wrong; answered 200, and nothing was changed. Dynamic sends one while a \
      webhook is registered. If it is registered already, compare the secret
      """,
      count: count)
  }

  func tokenWasWrong() {
    tokens.failed(
      """
      private token missing or wrong; answered 401, which a proxy takes for a revoked session. Compare the caller's \
      X-Revoked-Token with private-token
      """
    )
  }

  func heard(at time: Timestamp) {
    // The clock as it is now: one that was ahead for a while must not stand for the last delivery for years.
    lastSignedMilliseconds.store(time.milliseconds, ordering: .relaxed)
  }

  /// Counts the sets of secrets, so that a loop sees at the cost of a load that it has to key anew.
  var secretsVersion: Int { secretsVersionNumber.load(ordering: .acquiring) }

  var currentSecrets: [Secret] { secrets.withLock { $0 } }

  /// A loop's own verifier. nil if OpenSSL fails: then nothing verifies and everything is refused.
  func makeVerifier() -> (SignatureVerifier?, version: Int) {
    // The version first: a set that comes in between is keyed twice rather than missed.
    let version = secretsVersion
    return (try? SignatureVerifier(secrets: secrets.withLock { $0 }), version)
  }

  func replaceSecrets(_ new: [Secret]) {
    secrets.withLock { $0 = new }
    secretsVersionNumber.wrappingAdd(1, ordering: .releasing)
  }

  func isWanted(_ eventName: String) -> Bool {
    dispatcher.wants(eventName)
  }
}

extension Timestamp {
  static var now: Timestamp { Timestamp(Date()) }

  /// None when `earlier` is later: the clock was set back.
  func seconds(since earlier: Timestamp) -> Double {
    Double(max(0, milliseconds - earlier.milliseconds)) / 1000
  }
}
