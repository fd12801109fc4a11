package import DynamicEvents

/// How one attempt to deliver an event ended.
package struct Attempt: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// Done. Needs to be recorded where a row stands only; of fresh events the position alone tells.
    case delivered
    case failed(error: String, retryAt: Timestamp)
    /// Given up: a dead letter.
    case dead(error: String)
    /// Under way while the position moves on. The row is due at once: a process that finds it and knows of no running
    /// attempt finds what a killed process left. No expiry is needed, as only one process serves a folder.
    case claimed
  }

  package var event: Int64
  /// Which attempt it is, from 1.
  package var number: Int
  package var at: Timestamp
  package var outcome: Outcome

  package init(event: Int64, number: Int, at: Timestamp, outcome: Outcome) {
    self.event = event
    self.number = number
    self.at = at
    self.outcome = outcome
  }
}

/// When the attempts to deliver an event failed, as one text of milliseconds with spaces between, oldest first.
package struct AttemptTimes {
  /// The default of `max-attempts`; of more, the latest.
  package static let most = 20

  package let text: String

  package var times: [Timestamp] {
    text.split(separator: " ").compactMap { Int64($0).map(Timestamp.init(milliseconds:)) }
  }

  package init(text: String) {
    self.text = text
  }
}
