package import DynamicEvents

/// What a session event says (PROTOCOL section 1): only the session is certain.
package struct SessionRevoked: Sendable {
  package var name: String
  /// The envelope's `eventId`, as it came.
  package var eventID: String?
  package var session: SessionID
  package var by: RevokedBy
  package var revokedAt: Timestamp?
  package var createdAt: Timestamp?

  package init(
    name: String, eventID: String?, session: SessionID, by: RevokedBy, revokedAt: Timestamp?, createdAt: Timestamp?
  ) {
    self.name = name
    self.eventID = eventID
    self.session = session
    self.by = by
    self.revokedAt = revokedAt
    self.createdAt = createdAt
  }
}
