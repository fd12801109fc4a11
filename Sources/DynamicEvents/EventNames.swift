/// The event names that mean something here; every other one is passed on as it is.
package enum EventNames {
  package static let sessionRevoked = "user.session.revoked"
  package static let adminSessionRevoked = "admin.user.session.revoked"
  package static let ping = "ping"
  /// What this program makes of an operator's orders.
  package static let operatorSessionRevoked = "operator.session.revoked"
  package static let operatorCutOff = "operator.cutoff"

  /// The webhook id of events that `revoked send` makes: they prove nothing of Dynamic.
  package static let testWebhookID = "00000000-0000-0000-0000-000000000000"
}
