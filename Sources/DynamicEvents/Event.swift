/// A signed event, typed and with its body, for handlers: the library's users see this one.
public struct Event: Sendable {
  public let envelope: Envelope
  public let payload: Payload
  /// The bytes that were signed, exactly as they came: what the typed part leaves out is in here.
  public let body: [UInt8]

  public enum Payload: Hashable, Sendable {
    /// Idempotent per session id: the same session may come again, under another event as well.
    case sessionRevoked(Session, by: RevokedBy)
    /// The webhook was registered.
    case ping
    /// Any other event; see `Envelope.eventName` and `body`.
    case unknown
  }

  /// Decodes the body of a delivery, whose signature has been verified before.
  public init(body: [UInt8]) throws(UndecodableReason) {
    let bytes = body.span
    let fields = try EventFields(bytes)
    let outline = try EventOutline(fields, bytes)
    envelope = Envelope(
      eventId: fields.text(.eventId, in: bytes),
      messageId: fields.text(.messageId, in: bytes),
      webhookId: fields.text(.webhookId, in: bytes),
      eventName: outline.eventName.text(in: bytes),
      environmentId: fields.text(.environmentId, in: bytes),
      environmentName: fields.text(.environmentName, in: bytes),
      timestamp: outline.timestamp,
      userId: fields.text(.userId, in: bytes),
      externalUserId: fields.text(.externalUserId, in: bytes),
      redelivery: fields.redelivery ?? false)
    switch outline.kind {
    case .sessionRevoked(let id, let revokedBy):
      let session = Session(
        id: id,
        createdAt: outline.createdAt,
        ipAddress: fields.text(.ipAddress, in: bytes),
        userAgent: fields.text(.userAgent, in: bytes),
        revokedAt: outline.revokedAt)
      payload = .sessionRevoked(session, by: revokedBy)
    case .ping: payload = .ping
    case .other: payload = .unknown
    }
    self.body = body
  }
}

/// What every event carries around its data (DynamicProtocol.md).
///
/// Dynamic always sends the ids and the time. They are optional all the same, because an event is never refused for its
/// content; null, absent and "of another type" are one.
public struct Envelope: Hashable, Sendable {
  /// The event: the same in every message and every delivery of it.
  public let eventId: String?
  /// The message: one per event and webhook, the same in every retry.
  public let messageId: String?
  public let webhookId: String?
  /// `resource.action`; the resource may have dots.
  public let eventName: String
  public let environmentId: String?
  /// `sandbox` or `live`.
  public let environmentName: String?
  /// When the event happened.
  public let timestamp: Timestamp?
  /// Who triggered the event: for an admin's event the admin, and absent for an API key. **Never the subject**:
  /// revoking by it would log out the admin.
  public let userId: String?
  public let externalUserId: String?
  /// A person asked Dynamic to deliver it again. Not a reason to drop it: the first try may have been lost.
  public let redelivery: Bool
}

/// The session that was revoked (DynamicProtocol.md). Of its fields only the id may be relied on.
///
/// It holds no user id: nothing in the event says whose session it was.
public struct Session: Hashable, Sendable {
  public let id: SessionID
  public let createdAt: Timestamp?
  /// IPv4 or IPv6, as Dynamic wrote it. Personal data: keep it out of logs.
  public let ipAddress: String?
  /// As Dynamic wrote it. Personal data: keep it out of logs.
  public let userAgent: String?
  /// When absent, the envelope's `timestamp` is the next best.
  public let revokedAt: Timestamp?
}
