package import DynamicEvents
internal import SQLite
package import Storage

// One process serves a folder. So it leads every handler, and has every duty, as long as it runs.
extension RevocationStore: Store {
  package var location: String { path }
  package var server: ServerStanding? { nil }

  package func makeLookUps() -> LookUpPath { .inline(LookUpReader(self)) }

  package func claim(
    _ handler: String, patterns: [String], at now: Timestamp
  ) throws(StoreError) -> HandlerClaim {
    let cursor = try handlerPosition(registering: handler, at: now)
    return .leads(
      HandlerLease(handler: cursor.id, epoch: 0, position: cursor.position, validity: nil, renewal: nil))
  }

  package func renew(_ lease: HandlerLease, patterns: [String]) -> Bool { true }

  package func release(_ lease: HandlerLease) {}

  package var patternsElsewhere: [String] { [] }

  package func record(
    _ attempts: [Attempt], lease: HandlerLease, advancingTo position: Int64?
  ) throws(StoreError) {
    try record(attempts, handler: lease.handler, advancingTo: position)
  }

  package func take(_ duty: SharedDuty, for time: Duration) -> Bool { true }

  package func leave(_ duty: SharedDuty) {}
}

extension RevocationStore {
  package func state(_ name: StateName) throws(StoreError) -> String? {
    try read { db in try Self.state(name, db) }
  }

  /// - Parameter value: nil removes the name.
  package func setState(_ name: StateName, to value: String?) throws(StoreError) {
    try write { db in
      if let value {
        try db.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name.rawValue, value)
      } else {
        try db.run("DELETE FROM state WHERE name = ?", name.rawValue)
      }
    }
  }

  static func createdAt(_ db: Connection) throws -> Timestamp {
    guard let milliseconds = try state(.createdAt, db).flatMap({ Int64($0) }) else {
      throw SQLiteError.corrupt("it does not say when it was made")
    }
    return Timestamp(milliseconds: milliseconds)
  }

  private static func state(_ name: StateName, _ db: Connection) throws -> String? {
    try db.first("SELECT value FROM state WHERE name = ?", name.rawValue) { row in try row.text(0) }
  }
}
