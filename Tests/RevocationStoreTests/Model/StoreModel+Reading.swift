import DynamicEvents
import Storage
import Testing

@testable import RevocationStore

extension StoreModel {
  /// What a store holds, by way of what it answers to its callers. Each event's body is what its key was made from.
  init(
    reading store: any Store, _ reader: any InlineLookUps, handlers names: [String],
    sessions numbers: ClosedRange<UInt64>
  ) throws {
    self.init(handlers: names)
    let tally = try store.tally()
    lastEvent = tally.lastEvent
    lastRevocation = tally.lastRevocation

    for event in try store.latestEvents(EventFilter(), before: nil, limit: .max) {
      events[event.seq] = Event(
        number: Self.number(event.body), receivedAt: event.receivedAt.milliseconds, isDecodable: event.problem == nil)
      for handler in event.handlers {
        switch handler.state {
        case .done, .waiting: break
        case .dead(let attempts, _):
          handlers[handler.name]?.deliveries[event.seq] = Delivery(attempts: attempts, nextAt: nil)
        case .retrying(let attempts, let at, _):
          handlers[handler.name]?.deliveries[event.seq] = Delivery(attempts: attempts, nextAt: at.milliseconds)
        }
      }
    }

    for (name, backlog) in try store.backlogs() {
      // Waiting for a retry, or not attempted yet.
      let retrying = handlers[name]?.deliveries.values.count { $0.nextAt != nil } ?? 0
      handlers[name]?.position = lastEvent - Int64(backlog.pending - retrying)
    }
    let revoked = try numbers.compactMap { number in try answered { try reader.revocation(of: session(number)) } }
    let feed = try store.feed(after: 0, limit: 1000, at: time(0)).entries
    try #require(feed.count == revoked.count, "the feed and the look-ups differ")
    for entry in feed {
      let revocation = try #require(
        revoked.first { $0.session == entry.session }, "the feed has one that no look-up knows")
      sessions[Self.number(try #require(entry.session).bytes)] = Session(
        seq: entry.cursor.seq, expiresAt: entry.expiresAt.milliseconds, eventID: revocation.eventID)
    }

    #expect(tally.events == events.count && tally.revocations == sessions.count)
    #expect(tally.undecodable == events.values.count { !$0.isDecodable })
    let dead = handlers.mapValues { handler in handler.deliveries.values.count { $0.nextAt == nil } }
    #expect(try store.backlogs().mapValues(\.dead) == dead)
    #expect(try store.deadLetters(DeadLetterFilter(), after: nil, limit: .max).map(\.id) == deadLetters)
  }

  private static func number(_ bytes: [UInt8]) -> UInt64 {
    bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
