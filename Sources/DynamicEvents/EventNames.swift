/// The event names that mean something here; every other one is passed on as it is (PROTOCOL §1).
package enum EventNames {
  package static let sessionRevoked = "user.session.revoked"
  package static let adminSessionRevoked = "admin.user.session.revoked"
  package static let ping = "ping"
  /// What this program makes of an operator's orders.
  package static let operatorSessionRevoked = "operator.session.revoked"
  package static let operatorCutOff = "operator.cutoff"
}
