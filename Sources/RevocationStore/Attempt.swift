package import DynamicEvents

/// How one attempt to deliver an event ended.
package struct Attempt: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// Done. Needs to be recorded for a retry only; of fresh events the position alone tells.
    case delivered
    case failed(error: String, retryAt: Timestamp)
    /// Given up: a dead letter.
    case dead(error: String)
  }

  package var event: Int64
  package var at: Timestamp
  package var outcome: Outcome

  package init(event: Int64, at: Timestamp, outcome: Outcome) {
    self.event = event
    self.at = at
    self.outcome = outcome
  }
}
