package import DynamicEvents

/// A session that is revoked, for good.
package struct Revocation: Hashable, Sendable {
  package var session: SessionID
  package var revokedAt: Timestamp
  package var by: RevokedBy
  /// The event that said so first; nil when it came without an id.
  package var eventID: String?

  package init(session: SessionID, revokedAt: Timestamp, by: RevokedBy, eventID: String?) {
    self.session = session
    self.revokedAt = revokedAt
    self.by = by
    self.eventID = eventID
  }
}
