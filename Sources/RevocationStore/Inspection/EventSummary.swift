package import DynamicEvents
internal import Foundation
internal import GRDB

/// A stored event, and how its handlers stand with it, as a person asks for it.
package struct EventSummary: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    /// Delivered, or of no interest to the handler, or discarded.
    case done
    /// Not reached yet.
    case waiting
    /// Failed so often, and to be attempted again then.
    case retrying(attempts: Int, at: Timestamp, error: String)
    case dead(attempts: Int, error: String)
  }

  package struct Handler: Hashable, Sendable {
    package var name: String
    package var state: State
  }

  package var seq: Int64
  /// nil: it could not be decoded.
  package var name: String?
  package var problem: String?
  package var source: EventSource
  package var messageIDs: [String]
  package var receivedAt: Timestamp
  package var occurredAt: Timestamp?
  package var body: [UInt8]
  /// By name. Handlers that were added after the event came are left out.
  package var handlers: [Handler]
}

/// Which events are meant.
package struct EventFilter: Hashable, Sendable {
  /// Received at that time or later.
  package var since: Timestamp?
  /// An event's name, exactly.
  package var name: String?

  package init(since: Timestamp? = nil, name: String? = nil) {
    self.since = since
    self.name = name
  }
}

extension RevocationStore {
  private static let summaryColumns = "seq, name, problem, messages, received_at, occurred_at, body, source"

  /// The newest first, before the number `before`.
  package func latestEvents(
    _ filter: EventFilter, before: Int64?, limit: Int
  ) throws(StoreError) -> [EventSummary] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT \(Self.summaryColumns) FROM event
          WHERE (:before IS NULL OR seq < :before) AND (:name IS NULL OR name = :name) ORDER BY seq DESC
          """, arguments: ["before": before, "name": filter.name])
      var events: [EventSummary] = []
      while events.count < limit, let row = try rows.next() {
        // Events come in the order of their times, but for a clock that was set back: an hour of them is looked through.
        let receivedAt: Int64 = try row.decode(atIndex: 4)
        if let since = filter.since, receivedAt < since.milliseconds {
          if receivedAt < since.milliseconds - 3_600_000 { break }
          continue
        }
        events.append(try Self.summary(row, db))
      }
      return events
    }
  }

  package func event(_ seq: Int64) throws(StoreError) -> EventSummary? {
    try read { db in try Self.event(seq, db) }
  }

  private static func event(_ seq: Int64, _ db: Database) throws -> EventSummary? {
    let row = try Row.fetchOne(db, sql: "SELECT \(summaryColumns) FROM event WHERE seq = ?", arguments: [seq])
    return try row.map { try summary($0, db) }
  }

  package func event(_ key: EventKey) throws(StoreError) -> EventSummary? {
    try read { db in
      guard let seq = try KeyIndex.load(.event, db).seq(of: IndexKey(key), db) else { return nil }
      return try Self.event(seq, db)
    }
  }

  private static func summary(_ row: Row, _ db: Database) throws -> EventSummary {
    let messages: String = try row.decode(atIndex: 3)
    let seq: Int64 = try row.decode(atIndex: 0)
    guard let source = try EventSource(rawValue: row.decode(atIndex: 7)) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an event is from nowhere known")
    }
    var event = try EventSummary(
      seq: seq, name: row.decode(atIndex: 1), problem: row.decode(atIndex: 2), source: source,
      messageIDs: messages.split(separator: " ").map(String.init),
      receivedAt: Timestamp(milliseconds: row.decode(atIndex: 4)),
      occurredAt: row.decode(Int64?.self, atIndex: 5).map(Timestamp.init(milliseconds:)),
      body: [UInt8](row.decode(Data.self, atIndex: 6)), handlers: [])
    // What could not be decoded is no handler's.
    if event.problem != nil { return event }
    let select = try db.cachedStatement(
      sql: """
        SELECT name, position, attempts, next_at, last_error
        FROM handler LEFT JOIN delivery ON handler_id = handler.id AND event_seq = ?1
        WHERE added_at <= ?2 OR event_seq IS NOT NULL ORDER BY name
        """)
    event.handlers = try Row.fetchAll(select, arguments: [seq, event.receivedAt.milliseconds]).map { row in
      try EventSummary.Handler(name: row.decode(atIndex: 0), state: state(row, seq))
    }
    return event
  }

  private static func state(_ row: Row, _ seq: Int64) throws -> EventSummary.State {
    guard let attempts = try row.decode(Int?.self, atIndex: 2), let error = try row.decode(String?.self, atIndex: 4)
    else { return try row.decode(atIndex: 1) >= seq ? .done : .waiting }
    guard let next = try row.decode(Int64?.self, atIndex: 3) else { return .dead(attempts: attempts, error: error) }
    return .retrying(attempts: attempts, at: Timestamp(milliseconds: next), error: error)
  }
}
