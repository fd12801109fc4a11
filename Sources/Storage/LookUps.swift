package import DynamicEvents

/// How an engine answers look-ups.
package enum LookUpPath {
  /// At the call.
  case inline(any InlineLookUps)
}

extension LookUpPath {
  /// For who may wait: on no event loop.
  package var awaited: any InlineLookUps {
    switch self {
    case .inline(let lookUps): lookUps
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
