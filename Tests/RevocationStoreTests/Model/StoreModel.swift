import DynamicEvents
import Storage

@testable import RevocationStore

/// What the store has to hold, said a second time and as plainly as can be: dictionaries, no bounds, no indexes.
struct StoreModel: Equatable {
  struct Event: Equatable {
    /// What its key is made from.
    var number: UInt64
    var receivedAt: Int64
    var isDecodable: Bool
  }

  struct Session: Equatable {
    /// Its number in the feed.
    var seq: Int64
    var expiresAt: Int64
    /// The first event that revoked it.
    var eventID: String?
  }

  /// An event that a handler has failed to deliver.
  struct Delivery: Equatable {
    var attempts: Int
    /// nil: dead.
    var nextAt: Int64?
  }

  struct Handler: Equatable {
    var position: Int64 = 0
    var deliveries: [Int64: Delivery] = [:]
  }

  static let retention: Int64 = 30 * 86_400_000
  private static let hour: Int64 = 3_600_000
  private static let day = 24 * hour

  var events: [Int64: Event] = [:]
  var sessions: [UInt64: Session] = [:]
  var handlers: [String: Handler]
  var lastEvent: Int64 = 0
  var lastRevocation: Int64 = 0

  init(handlers: [String]) {
    self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0, Handler()) })
  }

  /// - Parameter session: what the event revokes, with its creation; nil for an event of another kind.
  mutating func append(
    _ number: UInt64, isDecodable: Bool = true, session: (number: UInt64, createdAt: Int64)?, at now: Int64
  ) -> AppendOutcome {
    let known = events.first { $0.value.number == number }?.key
    if let known {
      for (name, handler) in handlers {
        guard let delivery = handler.deliveries[known], delivery.nextAt == nil else { continue }
        handlers[name]?.deliveries[known] = Delivery(attempts: 0, nextAt: now)
      }
    } else {
      lastEvent += 1
      events[lastEvent] = Event(number: number, receivedAt: now, isDecodable: isDecodable)
    }
    if let session {
      revoke(session.number, createdAt: session.createdAt, eventID: IncomingEvent.eventID(number), at: now)
    }
    return !isDecodable ? .undecodable : known == nil ? .accepted : .duplicate
  }

  /// Takes on the numbers that a store gave to what both hold since `before`, where that store leaves some out.
  mutating func renumber(as stored: StoreModel, since before: StoreModel) {
    let known = events.keys.filter { $0 > before.lastEvent }.sorted()
    let given = stored.events.keys.filter { $0 > before.lastEvent }.sorted()
    // What differs otherwise is left to differ.
    guard known.count == given.count else { return }
    let new = known.map { events.removeValue(forKey: $0) }
    for (seq, event) in zip(given, new) { events[seq] = event }
    lastEvent = given.last ?? before.lastEvent
    for (number, session) in sessions where session.seq > before.lastRevocation {
      guard let seq = stored.sessions[number]?.seq, seq > before.lastRevocation else { continue }
      sessions[number]?.seq = seq
    }
    lastRevocation = max(before.lastRevocation, sessions.values.map(\.seq).max() ?? 0)
  }

  private mutating func revoke(_ number: UInt64, createdAt: Int64, eventID: String, at now: Int64) {
    // As if made now, where it cannot have been made then.
    let createdAt = createdAt < now - Self.retention - Self.hour || createdAt > now ? now : createdAt
    // Until its JWTs have expired; and to the end of the day after the one of the delivery.
    let expiresAt = max(createdAt + Self.retention + Self.hour, (now / Self.day + 2) * Self.day)
    let known = sessions[number]
    guard expiresAt > known?.expiresAt ?? .min else { return }
    lastRevocation += 1
    sessions[number] = Session(seq: lastRevocation, expiresAt: expiresAt, eventID: known?.eventID ?? eventID)
  }

  /// The decodable events that a handler has not attempted.
  func fresh(for handler: String) -> [Int64] {
    let position = handlers[handler]?.position ?? 0
    return events.filter { $0.key > position && $0.value.isDecodable }.keys.sorted()
  }

  /// What is further ahead than any pause was scheduled by a clock that was ahead.
  func due(for handler: String, at now: Int64) -> [Int64: Int] {
    let due = handlers[handler]?.deliveries.filter { delivery in
      guard let nextAt = delivery.value.nextAt else { return false }
      return nextAt <= now || nextAt > now + 3_600_000
    }
    return due?.mapValues(\.attempts) ?? [:]
  }

  mutating func record(_ attempts: [Attempt], handler: String, advancingTo position: Int64?) {
    for attempt in attempts {
      handlers[handler]?.deliveries[attempt.event] =
        switch attempt.outcome {
        case .delivered: nil
        case .failed(_, let retryAt): Delivery(attempts: attempt.number, nextAt: retryAt.milliseconds)
        case .dead: Delivery(attempts: attempt.number, nextAt: nil)
        case .claimed: Delivery(attempts: attempt.number, nextAt: attempt.at.milliseconds)
        }
    }
    if let position { handlers[handler]?.position = position }
  }

  var deadLetters: [DeadLetterID] {
    let undelivered = handlers.flatMap { name, handler in
      handler.deliveries.filter { $0.value.nextAt == nil }.keys.map { DeadLetterID(event: $0, handler: name) }
    }
    return (undelivered + events.filter { !$0.value.isDecodable }.keys.map { DeadLetterID(event: $0, handler: nil) })
      .sorted()
  }

  mutating func replay(_ id: DeadLetterID, at now: Int64) {
    guard let handler = id.handler else { return }
    handlers[handler]?.deliveries[id.event] = Delivery(attempts: 0, nextAt: now)
  }

  mutating func discard(_ id: DeadLetterID) {
    if let handler = id.handler { handlers[handler]?.deliveries[id.event] = nil } else { events[id.event] = nil }
  }

  /// - Parameter configured: the handlers that there are; what the others have still to do keeps no event.
  mutating func forget(at now: Int64, configured: Set<String>) {
    sessions = sessions.filter { $0.value.expiresAt >= now }
    for (seq, event) in events where event.isDecodable && now - event.receivedAt > 92 * Self.day {
      let isNeeded = handlers.contains { name, handler in
        let isConfigured = configured.contains(name)
        if let delivery = handler.deliveries[seq] { return isConfigured || delivery.nextAt == nil }
        return isConfigured && handler.position < seq
      }
      if isNeeded { continue }
      events[seq] = nil
      for name in handlers.keys { handlers[name]?.deliveries[seq] = nil }
    }
  }
}
