package import DynamicEvents

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
