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
