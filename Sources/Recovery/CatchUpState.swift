package import DynamicEvents
package import RevocationStore

/// How far a store has fetched what an environment's webhook could not deliver. Kept in the store as one line.
package enum CatchUpState: Hashable, Sendable {
  /// The store is new, and has not yet fetched what happened before it was made: it cannot say who is *not* revoked.
  case pending
  /// Everything until then is stored.
  case complete(until: Timestamp)

  /// `nil` for what was written for another environment, whose events say nothing of this one's.
  init?(_ text: String, environment: String) {
    let words = text.split(separator: " ")
    guard words.first.map(String.init) == environment else { return nil }
    switch (words.count, words.dropFirst().first, words.last.flatMap { Int64($0) }) {
    case (2, "pending", _): self = .pending
    case (3, "complete", let milliseconds?): self = .complete(until: Timestamp(milliseconds: milliseconds))
    default: return nil
    }
  }

  func text(environment: String) -> String {
    switch self {
    case .pending: "\(environment) pending"
    case .complete(let until): "\(environment) complete \(until.milliseconds)"
    }
  }
}

extension RevocationStore {
  /// `nil`: nothing was ever fetched for this environment.
  package func catchUpState(of environment: String) throws(StoreError) -> CatchUpState? {
    try state(.catchUp).flatMap { CatchUpState($0, environment: environment) }
  }

  /// Returns once it is on disk.
  package func setCatchUpState(_ state: CatchUpState, of environment: String) throws(StoreError) {
    try setState(.catchUp, to: state.text(environment: environment))
  }
}
