/// Who revoked a session, as the event's name tells it.
public enum RevokedBy: String, Hashable, Sendable, CaseIterable {
  /// `user.session.revoked`
  case user
  /// `admin.user.session.revoked`
  case admin
}
