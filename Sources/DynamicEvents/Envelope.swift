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
