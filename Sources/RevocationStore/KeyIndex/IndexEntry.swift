internal import GRDB

/// What a run has of a row of one of the tables.
protocol IndexEntry: Sendable {
  static var table: IndexedTable { get }
  /// What `key_run.indexed` says of runs of such entries.
  static var indexed: String { get }
  /// So many words of eight bytes it is in a block.
  static var words: Int { get }

  /// The key's: what the entries of a run are sorted by.
  var hash: UInt64 { get }
  /// The row's number.
  var seq: Int64 { get }

  /// From a block that has the whole entry there.
  init(_ block: Span<UInt8>, at start: Int)
  /// Certain of the key alone that it was made of, where it holds all of it.
  func mayBe(of key: IndexKey) -> Bool
  func append(to words: inout [UInt64])

  /// Of the rows behind a number, in the order of their numbers.
  static func forEach(after seq: Int64, _ db: Database, _ body: (Self) throws -> Void) throws

  /// Of the rows that no run has.
  /// - Parameters:
  ///   - recent: their keys and numbers.
  ///   - covered: the newest number that a run was told of.
  static func entries(of recent: [IndexKey: Int64], after covered: Int64, _ db: Database) throws -> [Self]
}
