/// A signed event, typed, for those who handle it.
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
