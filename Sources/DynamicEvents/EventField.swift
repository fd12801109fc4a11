/// The fields that are read, of the envelope and of a session (DynamicProtocol.md). The number is the slot in
/// `EventFields`.
enum EventField: Int {
  case eventId, messageId, webhookId, eventName, environmentId, environmentName, timestamp, userId, externalUserId
  case redelivery, data
  case id, createdAt, ipAddress, userAgent, revokedAt

  /// The field of the envelope that has this key.
  static func ofEnvelope(_ key: Span<UInt8>) -> EventField? {
    switch key.count {
    case 4: key.equals("data") ? .data : nil
    case 6: key.equals("userId") ? .userId : nil
    case 7: key.equals("eventId") ? .eventId : nil
    case 9:
      key.equals("eventName")
        ? .eventName
        : key.equals("messageId")
          ? .messageId : key.equals("timestamp") ? .timestamp : key.equals("webhookId") ? .webhookId : nil
    case 10: key.equals("redelivery") ? .redelivery : nil
    case 13: key.equals("environmentId") ? .environmentId : nil
    case 14: key.equals("externalUserId") ? .externalUserId : nil
    case 15: key.equals("environmentName") ? .environmentName : nil
    default: nil
    }
  }

  /// The field of `data` that has this key.
  static func ofSession(_ key: Span<UInt8>) -> EventField? {
    switch key.count {
    case 2: key.equals("id") ? .id : nil
    case 9:
      key.equals("createdAt")
        ? .createdAt
        : key.equals("revokedAt")
          ? .revokedAt : key.equals("ipAddress") ? .ipAddress : key.equals("userAgent") ? .userAgent : nil
    default: nil
    }
  }
}

extension Span<UInt8> {
  func equals(_ name: StaticString) -> Bool {
    guard count == name.utf8CodeUnitCount else { return false }
    for index in indices {
      // A StaticString's UTF-8 lives as long as the process, and `index` is below its count.
      if self[index] != (unsafe name.utf8Start[index]) { return false }
    }
    return true
  }
}
