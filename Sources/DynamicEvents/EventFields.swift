internal import Bytes

/// Where the fields of one event lie in its body: the single walk that `EventOutline` and `Event` are both made from.
///
/// A field that is null, absent or of another type than it should be is absent, so that no event is lost for it.
///
/// Of a key that occurs twice the first counts, as with Foundation's `JSONDecoder`, but for what says that a session
/// was revoked: other readers, a handler's among them, take the last. So every `data.id` counts, and of several names
/// the one that revokes.
struct EventFields {
  /// By `EventField`; the slots of `redelivery` and `data` stay empty.
  private var strings = InlineArray<16, JSONString?>(repeating: nil)
  private(set) var redelivery: Bool?
  /// Every `data.id` that is a session id, each once, behind the first; nearly always none.
  private(set) var otherSessions: [SessionID] = []
  /// The first `data.id` that is a session id.
  private(set) var session: SessionID?
  /// One bit for each `EventField` whose key was met.
  private var met: UInt16 = 0

  init(_ body: Span<UInt8>) throws(UndecodableReason) {
    let isObject: Bool
    do throws(JSONError) {
      isObject = try read(body)
    } catch {
      throw .notJSON(error)
    }
    guard isObject else { throw .notAnObject }
  }

  subscript(field: EventField) -> JSONString? {
    // The array's own subscript copies all of it first.
    strings.span[field.rawValue]
  }

  /// The field's value as a `String`.
  func text(_ field: EventField, in body: Span<UInt8>) -> String? { self[field]?.text(in: body) }

  /// The field's value as a time; `nil` as well when it is not one.
  func timestamp(_ field: EventField, in body: Span<UInt8>) -> Timestamp? {
    self[field]?.withValue(in: body) { value in Timestamp(value) }
  }

  private mutating func read(_ body: Span<UInt8>) throws(JSONError) -> Bool {
    var reader = JSONReader()
    let isObject = try reader.enterObject(in: body)
    if isObject {
      while let key = try reader.nextKey(in: body) {
        switch key.withValue(in: body, EventField.ofEnvelope) {
        case .data: try readData(body, &reader, isFirst: isFirst(.data))
        case .eventName: readName(try reader.string(in: body), body)
        case .some(let field) where isFirst(field):
          if field == .redelivery {
            redelivery = try reader.boolean(in: body)
          } else {
            strings[field.rawValue] = try reader.string(in: body)
          }
        default: try reader.skipValue(in: body)
        }
      }
    } else {
      try reader.skipValue(in: body)
    }
    try reader.finish(body)
    return isObject
  }

  /// The event's name may come later, so that every `data` is read as if it were a session.
  private mutating func readData(
    _ body: Span<UInt8>, _ reader: inout JSONReader, isFirst isFirstData: Bool
  ) throws(JSONError) {
    guard try reader.enterObject(in: body) else { return try reader.skipValue(in: body) }
    while let key = try reader.nextKey(in: body) {
      switch key.withValue(in: body, EventField.ofSession) {
      case .id: readID(try reader.string(in: body), body)
      case .some(let field) where isFirstData && isFirst(field):
        strings[field.rawValue] = try reader.string(in: body)
      default: try reader.skipValue(in: body)
      }
    }
  }

  private mutating func readName(_ name: JSONString?, _ body: Span<UInt8>) {
    if isFirst(.eventName) {
      strings[EventField.eventName.rawValue] = name
    } else if let name, name.withValue(in: body, RevokedBy.init(eventName:)) != nil,
      self[.eventName]?.withValue(in: body, RevokedBy.init(eventName:)) == nil
    {
      strings[EventField.eventName.rawValue] = name
    }
  }

  private mutating func readID(_ id: JSONString?, _ body: Span<UInt8>) {
    guard let id = id?.withValue(in: body, { value in SessionID(value) }) else { return }
    guard let session else { return session = id }
    // A body of the largest size holds thousands of them, which only Dynamic can sign: the search may be linear.
    if id != session, !otherSessions.contains(id) { otherSessions.append(id) }
  }

  /// Whether the key is met for the first time.
  private mutating func isFirst(_ field: EventField) -> Bool {
    let bit: UInt16 = 1 << field.rawValue
    defer { met |= bit }
    return met & bit == 0
  }
}

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
