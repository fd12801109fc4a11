internal import Dispatch
package import DynamicEvents
internal import Glibc

/// How an engine answers look-ups.
package enum LookUpPath {
  /// At the call.
  case inline(any InlineLookUps)
  /// Later: what a loop's round has asked goes out together.
  case remote(any RemoteLookUps)
}

extension LookUpPath {
  /// For who may wait: on no event loop.
  package var awaited: any InlineLookUps {
    switch self {
    case .inline(let lookUps): lookUps
    case .remote(let lookUps): AwaitedLookUps(lookUps)
    }
  }
}

/// Look-ups that the call itself answers. Not `Sendable`: one per loop.
package protocol InlineLookUps: AnyObject {
  /// Lends `use` when the session was revoked, by whom, and by which event, whose id is empty if there is none; nil
  /// when it was not.
  func revocation<Answer>(
    of session: SessionID, _ use: (_ revokedAt: Timestamp, _ by: RevokedBy, _ eventID: Span<UInt8>) -> Answer
  ) throws(StoreError) -> Answer?

  /// Those of the sessions that are revoked, in the order asked, all as of one moment.
  func revoked(of sessions: [SessionID]) throws(StoreError) -> [SessionID]

  /// What is known of each of the tokens, in the order asked, all as of one moment.
  func standings(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> [TokenStanding]

  /// What is known of a request that presents all of these tokens: one that is refused refuses it.
  func standing(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> TokenStanding

  /// Lets go of what the look-ups of this round have shared.
  func roundEnded()
}

/// Look-ups whose answers come from another process. Not `Sendable`: one per event loop, used on its queue only. No
/// call blocks.
///
/// Each `answer` is called exactly once, on the loop: from within `descriptorReady`, or with a failure from within the
/// question itself. Whatever happens, it is called within a second, so that the caller gets its 503.
package protocol RemoteLookUps: AnyObject {
  func revocation(of session: SessionID, _ answer: @escaping (Result<Revocation?, StoreError>) -> Void)

  /// Those of the sessions that are revoked, in the order asked, all as of one moment.
  func revoked(of sessions: [SessionID], _ answer: @escaping (Result<[SessionID], StoreError>) -> Void)

  /// What is known of each of the tokens, in the order asked, all as of one moment.
  func standings(
    of tokens: [TokenClaims], at now: Timestamp, _ answer: @escaping (Result<[TokenStanding], StoreError>) -> Void)

  /// Sends what was asked since the last one.
  func roundEnded()

  /// Readable whenever `descriptorReady` has something to do. The same as long as the object lives, whatever becomes of
  /// connections. -1 if there was none to be had; then every question fails.
  var descriptor: CInt { get }

  /// Nanoseconds of the monotonic clock at which `descriptorReady` is to be called though nothing came; `.max`: never.
  var deadline: UInt64 { get }

  /// The descriptor is readable, or the deadline has come.
  func descriptorReady()
}

/// Has the caller wait for each answer. Not `Sendable`.
final class AwaitedLookUps: InlineLookUps {
  private let remote: any RemoteLookUps

  init(_ remote: any RemoteLookUps) {
    self.remote = remote
  }

  func revocation<Answer>(
    of session: SessionID, _ use: (_ revokedAt: Timestamp, _ by: RevokedBy, _ eventID: Span<UInt8>) -> Answer
  ) throws(StoreError) -> Answer? {
    let found = try wait { remote.revocation(of: session, $0) }
    return found.map { use($0.revokedAt, $0.by, Array(($0.eventID ?? "").utf8).span) }
  }

  func revoked(of sessions: [SessionID]) throws(StoreError) -> [SessionID] {
    try wait { remote.revoked(of: sessions, $0) }
  }

  func standings(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> [TokenStanding] {
    try wait { remote.standings(of: tokens, at: now, $0) }
  }

  func standing(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> TokenStanding {
    TokenStanding(ofAll: try standings(of: tokens, at: now))
  }

  func roundEnded() {}

  private func wait<Value>(
    _ ask: (_ answer: @escaping (Result<Value, StoreError>) -> Void) -> Void
  ) throws(StoreError) -> Value {
    var answer: Result<Value, StoreError>?
    ask { answer = $0 }
    remote.roundEnded()
    while true {
      if let answer { return try answer.get() }
      let now = DispatchTime.now().uptimeNanoseconds
      // The engine has an answer within a second; so often it is asked at least.
      let left = remote.deadline > now ? min((remote.deadline - now) / 1_000_000 + 1, 1000) : 0
      var descriptor = pollfd(fd: remote.descriptor, events: Int16(POLLIN), revents: 0)
      // The structure lives for the call.
      _ = unsafe poll(&descriptor, 1, CInt(left))
      remote.descriptorReady()
    }
  }
}

/// A session that is revoked, for good.
package struct Revocation: Hashable, Sendable {
  package var session: SessionID
  package var revokedAt: Timestamp
  package var by: RevokedBy
  /// The event that said so first; nil when it came without an id.
  package var eventID: String?

  package init(session: SessionID, revokedAt: Timestamp, by: RevokedBy, eventID: String?) {
    self.session = session
    self.revokedAt = revokedAt
    self.by = by
    self.eventID = eventID
  }
}
