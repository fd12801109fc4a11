internal import DynamicEvents
internal import SQLite
internal import Storage

extension Tally {
  static func fetch(_ db: Connection) throws -> Tally {
    let tally = try db.first(
      "SELECT last_event, last_revocation, events, revocations, undecodable, last_received_at FROM tally"
    ) { row in
      try Tally(
        lastEvent: row.integer(0), lastRevocation: row.integer(1), events: Int(row.integer(2)),
        revocations: Int(row.integer(3)), undecodable: Int(row.integer(4)),
        lastReceivedAt: row.integerIfAny(5).map(Timestamp.init(milliseconds:)))
    }
    guard let tally else { throw SQLiteError.corrupt("the table of counts is empty") }
    guard tally.isPlausible else { throw SQLiteError.corrupt("the table of counts is beyond all bounds") }
    return tally
  }

  func update(_ db: Connection) throws(SQLiteError) {
    let update = try db.statement(
      """
      UPDATE tally SET last_event = ?, last_revocation = ?, events = ?, revocations = ?, undecodable = ?,
        last_received_at = ?
      """)
    try update.bind(lastEvent, at: 1)
    try update.bind(lastRevocation, at: 2)
    try update.bind(Int64(events), at: 3)
    try update.bind(Int64(revocations), at: 4)
    try update.bind(Int64(undecodable), at: 5)
    if let lastReceivedAt { try update.bind(lastReceivedAt.milliseconds, at: 6) } else { try update.bindNull(at: 6) }
    try update.run()
  }
}
