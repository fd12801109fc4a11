internal import Bytes

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

/// Who revoked a session.
public enum RevokedBy: String, Hashable, Sendable, CaseIterable {
  /// `user.session.revoked`
  case user
  /// `admin.user.session.revoked`
  case admin
  /// An order to this program.
  case `operator`
}

extension RevokedBy {
  init?(eventName: Span<UInt8>) {
    if eventName.isEqual(to: EventNames.sessionRevoked.utf8.span) {
      self = .user
    } else if eventName.isEqual(to: EventNames.adminSessionRevoked.utf8.span) {
      self = .admin
    } else if eventName.isEqual(to: EventNames.operatorSessionRevoked.utf8.span) {
      self = .operator
    } else {
      return nil
    }
  }
}
