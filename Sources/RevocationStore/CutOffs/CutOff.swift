package import DynamicEvents
internal import GRDB

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
  package var id: SixteenBytes
  /// Only grows.
  package var before: Timestamp

  package init(_ kind: Kind, _ id: SixteenBytes, before: Timestamp) {
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

  /// From a row of `select`; `nil` if it is malformed.
  init?(_ row: borrowing PreparedStatement.Row) {
    guard
      let kind = row.bytes(
        0, { name in Kind.allCases.first { $0.rawValue.utf8.elementsEqual(name.indices.map { name[$0] }) } }),
      let id = row.bytes(1, { SixteenBytes(uuid: $0) })
    else { return nil }
    self.init(kind, id, before: Timestamp(milliseconds: row.number(2)))
  }
}

extension CutOffs {
  /// Reads all of them, into places that are enough.
  func load(_ db: Database) throws {
    func count(_ kind: CutOff.Kind) throws -> Int {
      try Int.fetchOne(db, sql: "SELECT count(*) FROM cutoff WHERE kind = ?", arguments: [kind.rawValue]) ?? 0
    }
    reserve(users: try count(.user), environments: try count(.environment))
    var batch: [CutOff] = []
    try PreparedStatement(db, sql: CutOff.select).forEach { row in
      guard let cutOff = CutOff(row) else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a cut-off is malformed")
      }
      batch.append(cutOff)
      guard batch.count == 1024 else { return }
      insert(batch)
      batch.removeAll(keepingCapacity: true)
    }
    if !batch.isEmpty { insert(batch) }
    cover(upTo: try Tally.fetch(db).lastRevocation)
  }
}
