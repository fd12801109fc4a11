internal import Dispatch
internal import DynamicEvents
internal import Glibc

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
