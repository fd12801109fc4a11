/// A store whose whole content can be taken to another engine's.
package protocol StoreCopying {
  /// Hands on every row, in the order of `CopiedTable.all` and of their keys, all as of one moment. No server may use
  /// the store meanwhile: what it acknowledges would stay behind.
  func export(_ take: CopiedRows.Taking) throws(StoreError) -> Tally

  /// Takes in what `rows` hands on, into a store that has nothing yet. A failure leaves a store that must not be used.
  func load(_ rows: (_ take: CopiedRows.Taking) throws -> Tally) throws(StoreError)
}

/// Some rows of a table, each with a value for every column.
package struct CopiedRows: Sendable {
  package typealias Taking = (CopiedRows) throws -> Void

  /// As many as are handed on together: a page whose events have the longest bodies takes 64 MiB.
  package static let most = 256

  package let table: CopiedTable
  package let rows: [[CopiedValue]]

  package init(_ table: CopiedTable, _ rows: [[CopiedValue]]) {
    self.table = table
    self.rows = rows
  }
}

package enum CopiedValue: Hashable, Sendable {
  case none
  case integer(Int64)
  case text(String)
  case bytes([UInt8])
}

/// A table that every engine has, with these columns under these names. What is derived from them is made anew.
package struct CopiedTable: Sendable {
  package enum Kind: Sendable {
    case integer
    case text
    case bytes
    /// Sixteen bytes.
    case uuid
    /// A UUID that is copied as its text.
    case uuidText
  }

  package struct Column: Sendable {
    package let name: String
    package let kind: Kind

    fileprivate init(_ name: String, _ kind: Kind) {
      self.name = name
      self.kind = kind
    }
  }

  package let name: String
  /// The rows' order, and the first of the columns.
  package let key: [Column]
  package let columns: [Column]

  private init(_ name: String, key: [Column], _ others: [Column]) {
    self.name = name
    self.key = key
    columns = key + others
  }

  package static let all = [
    CopiedTable("state", key: [Column("name", .text)], [Column("value", .text)]),
    CopiedTable("feed_epoch", key: [Column("first_seq", .integer)], [Column("id", .integer)]),
    CopiedTable(
      "retention", key: [Column("id", .integer)],
      [Column("period", .integer), Column("former", .integer), Column("former_until", .integer)]),
    CopiedTable(
      "event", key: [Column("seq", .integer)],
      [
        Column("key", .uuid), Column("name", .text), Column("problem", .text), Column("source", .text),
        Column("messages", .text), Column("received_at", .integer), Column("occurred_at", .integer),
        Column("body", .bytes),
      ]),
    CopiedTable(
      "revocation", key: [Column("seq", .integer)],
      [
        Column("session", .uuid), Column("revoked_at", .integer), Column("revoked_by", .text),
        Column("remember_from", .integer), Column("event_seq", .integer), Column("event_id", .text),
      ]),
    CopiedTable(
      "cutoff", key: [Column("seq", .integer)],
      [
        Column("kind", .text), Column("id", .uuidText), Column("before", .integer), Column("expires_at", .integer),
        Column("event_seq", .integer),
      ]),
    CopiedTable(
      "handler", key: [Column("id", .integer)],
      [
        Column("name", .text), Column("position", .integer), Column("added_at", .integer),
        Column("removed_at", .integer),
      ]),
    CopiedTable(
      "delivery", key: [Column("handler_id", .integer), Column("event_seq", .integer)],
      [
        Column("attempts", .integer), Column("attempted_at", .integer), Column("next_at", .integer),
        Column("last_error", .text), Column("attempt_times", .text), Column("crashes", .integer),
      ]),
  ]

  /// Hands on all rows, a page at a time. `page` returns those behind a key, or the first ones, at most
  /// `CopiedRows.most`.
  package func export(
    _ take: CopiedRows.Taking, page: (_ behind: [CopiedValue]?) throws -> [[CopiedValue]]
  ) throws {
    var last: [CopiedValue]?
    while true {
      let rows = try page(last)
      if !rows.isEmpty { try take(CopiedRows(self, rows)) }
      guard rows.count == CopiedRows.most, let row = rows.last else { return }
      last = Array(row.prefix(key.count))
    }
  }
}
