internal import DynamicEvents
internal import SQLite
internal import Storage

extension EventSource {
  /// From a table's column.
  init(_ row: borrowing Row, _ column: CInt) throws(SQLiteError) {
    guard let known = try EventSource(rawValue: row.text(column)) else {
      throw SQLiteError.corrupt("an event is from nowhere known")
    }
    self = known
  }
}

extension CutOff {
  static let select = "SELECT kind, id, before FROM cutoff"

  /// From a row of `select`.
  init(_ row: borrowing Row) throws(SQLiteError) {
    guard let kind = try Kind(rawValue: row.text(0)), let id = row.lend(1, { UUIDBytes(uuid: $0) }) ?? nil else {
      throw .corrupt("a cut-off is malformed")
    }
    self.init(kind, id, before: Timestamp(milliseconds: try row.integer(2)))
  }
}

extension CutOffs {
  /// Reads all of them, into places that are enough.
  func load(_ db: Connection) throws {
    func count(_ kind: CutOff.Kind) throws -> Int {
      try db.first("SELECT count(*) FROM cutoff WHERE kind = ?", kind.rawValue) { row in try Int(row.integer(0)) } ?? 0
    }
    reserve(users: try count(.user), environments: try count(.environment))
    var batch: [CutOff] = []
    try db.walk(CutOff.select) { row in
      batch.append(try CutOff(row))
      guard batch.count == 1024 else { return true }
      insert(batch)
      batch.removeAll(keepingCapacity: true)
      return true
    }
    if !batch.isEmpty { insert(batch) }
    cover(upTo: try Tally.fetch(db).lastRevocation)
  }
}

extension RevokedBy {
  /// From a table's column.
  init(_ row: borrowing Row, _ column: CInt) throws(SQLiteError) {
    let known = row.lend(column) { name in
      Self.allCases.first { by in
        let utf8 = by.rawValue.utf8
        return utf8.count == name.count && zip(utf8, name.indices).allSatisfy { $0 == name[$1] }
      }
    }
    guard let known = known ?? nil else { throw SQLiteError.corrupt("it is not known who revoked a session") }
    self = known
  }
}

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
