internal import DynamicEvents

/// The `event` label of `revoked_webhooks_total`. A closed set: a label from a payload would let its sender grow our memory.
enum EventLabel: String, CaseIterable {
  case sessionRevoked = "user.session.revoked"
  case adminSessionRevoked = "admin.user.session.revoked"
  case ping
  /// Any other event.
  case other
  /// Undecodable.
  case unknown
}

/// The `outcome` label of `revoked_webhooks_total`: the answer's status, or `unavailable` for a 503.
enum OutcomeLabel: String, CaseIterable {
  case accepted, duplicate, pong, ignored, undecodable, unavailable
}

/// The `result` label of `revoked_lookups_total`.
enum LookUpLabel: String, CaseIterable {
  case revoked
  case notRevoked = "not_revoked"
  /// A forward-auth request without a session that can be read; answered 401.
  case noSession = "no_session"
  /// The store could not be read; answered 503.
  case failed
}
