package import DynamicEvents
internal import SQLite

/// An order that refuses the JWTs of a user or an environment that were issued at a time or before it.
package struct CutOff: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// By the claim `sub`.
    case user
    /// By the claim `environment_id`.
    case environment
  }

  package var kind: Kind
  /// Dynamic's ids are UUIDs.
  package var id: UUIDBytes
  /// Only grows.
  package var before: Timestamp

  package init(_ kind: Kind, _ id: UUIDBytes, before: Timestamp) {
    self.kind = kind
    self.id = id
    self.before = before
  }
}

/// What is known of a token.
package enum TokenStanding: Hashable, Sendable {
  case good
  /// One of its sessions is revoked.
  case revoked
  /// Its user or environment was cut off after it was issued.
  case cutOff
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
