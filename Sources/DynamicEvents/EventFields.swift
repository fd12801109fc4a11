/// Where the fields of one event lie in its body: the single walk that `EventOutline` and `Event` are both made from.
///
/// A field that is null, absent or of another type than it should be is absent, so that no event is lost for it. Of a key
/// that occurs twice the first counts, as with Foundation's `JSONDecoder`.
struct EventFields {
  /// By `EventField`; the slots of `redelivery` and `data` stay empty.
  private var strings = InlineArray<16, JSONString?>(repeating: nil)
  private(set) var redelivery: Bool?
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
        switch firstOccurrence(key.withValue(in: body, EventField.ofEnvelope)) {
        case nil: try reader.skipValue(in: body)
        case .redelivery: redelivery = try reader.boolean(in: body)
        case .data: try readData(body, &reader)
        case .some(let field): strings[field.rawValue] = try reader.string(in: body)
        }
      }
    } else {
      try reader.skipValue(in: body)
    }
    try reader.finish(body)
    return isObject
  }

  /// The event's name may come later, so that every `data` is read as if it were a session.
  private mutating func readData(_ body: Span<UInt8>, _ reader: inout JSONReader) throws(JSONError) {
    guard try reader.enterObject(in: body) else { return try reader.skipValue(in: body) }
    while let key = try reader.nextKey(in: body) {
      if let field = firstOccurrence(key.withValue(in: body, EventField.ofSession)) {
        strings[field.rawValue] = try reader.string(in: body)
      } else {
        try reader.skipValue(in: body)
      }
    }
  }

  /// `nil` from the second time on.
  private mutating func firstOccurrence(_ field: EventField?) -> EventField? {
    guard let field else { return nil }
    let bit: UInt16 = 1 << field.rawValue
    guard met & bit == 0 else { return nil }
    met |= bit
    return field
  }
}
