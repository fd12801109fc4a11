internal import DynamicEvents
internal import Synchronization

/// The values of a metric's label: a closed set, since a label taken from a request would let its sender grow our
/// memory.
protocol MetricLabel: CaseIterable, Equatable, RawRepresentable<String>, Sendable {}

/// The `event` label of `revoked_webhooks_total`.
enum EventLabel: String, MetricLabel {
  case sessionRevoked = "user.session.revoked"
  case adminSessionRevoked = "admin.user.session.revoked"
  case ping
  /// Any other event.
  case other
  /// Undecodable.
  case unknown
}

/// The `outcome` label of `revoked_webhooks_total`: the answer's status, or `unavailable` for a 503.
enum OutcomeLabel: String, MetricLabel {
  case accepted, duplicate, pong, ignored, undecodable, unavailable
  /// A ping whose signature is missing or wrong.
  case unverified
}

/// The `result` label of `revoked_lookups_total`.
enum LookUpLabel: String, MetricLabel {
  case revoked
  case notRevoked = "not_revoked"
  /// A forward-auth request without a session that can be read; answered 401.
  case noSession = "no_session"
  /// The store could not be read; answered 503.
  case failed
}

/// A counter for each value of a label. Made from the label's own cases, so that none can lack its counter.
struct LabelledCounts<Label: MetricLabel>: Sendable {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  // `allCases` makes an array each time.
  private let labels = Array(Label.allCases)
  private let counts = Label.allCases.map { _ in Count() }

  func add(_ number: Int = 1, to label: Label) {
    guard let index = labels.firstIndex(of: label) else { return }
    counts[index].value.wrappingAdd(number, ordering: .relaxed)
  }

  subscript(label: Label) -> Int {
    labels.firstIndex(of: label).map { counts[$0].value.load(ordering: .relaxed) } ?? 0
  }
}
