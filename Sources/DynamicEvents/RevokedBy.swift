/// Who revoked a session.
public enum RevokedBy: String, Hashable, Sendable, CaseIterable {
  /// `user.session.revoked`
  case user
  /// `admin.user.session.revoked`
  case admin
  /// An order to this program.
  case `operator`
}
