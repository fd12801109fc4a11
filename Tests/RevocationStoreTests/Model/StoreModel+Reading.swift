import DynamicEvents
import Storage
import Testing

@testable import RevocationStore

extension StoreModel {
  /// What a store holds, by way of what it answers to its callers. Each event's body is what its key was made from.
  init(
    reading store: RevocationStore, _ reader: LookUpReader, handlers names: [String],
    sessions numbers: ClosedRange<UInt64>
  ) throws {
    self.init(handlers: names)
    let tally = try store.tally()
    lastEvent = tally.lastEvent
    lastRevocation = tally.lastRevocation

    for name in names {
      handlers[name]?.position = try store.handlerPosition(registering: name, at: time(0)).position
    }
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

    let revoked = try numbers.compactMap { try reader.revocation(of: session($0)) }
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
    let backlogs = handlers.mapValues { handler in
      let dead = handler.deliveries.values.count { $0.nextAt == nil }
      return Backlog(pending: Int(lastEvent - handler.position) + handler.deliveries.count - dead, dead: dead)
    }
    #expect(try store.backlogs() == backlogs)
    #expect(try store.deadLetters(DeadLetterFilter(), after: nil, limit: .max).map(\.id) == deadLetters)
  }

  private static func number(_ bytes: [UInt8]) -> UInt64 {
    bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
