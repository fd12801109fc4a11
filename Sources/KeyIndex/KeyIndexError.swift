package import SQLite

package enum KeyIndexError: Error {
  /// The snapshot has no such block. It is older than the run, or the run has been merged into another one since: ask the index once more.
  case missing(run: Int64)
  /// The index is not as it was written, and must be built anew from the rows.
  case damaged(String)
  /// The index lacks more rows than are kept in memory, and must be extended.
  case outdated
  case failed(SQLiteError)

  /// What SQLite finds damaged or missing while it reads the index's tables is the index's damage: the rows are elsewhere.
  init(_ error: SQLiteError) {
    switch error.kind {
    case .corrupt, .noSuchThing: self = .damaged(error.message)
    default: self = .failed(error)
    }
  }

  /// What is wrong.
  package var text: String {
    switch self {
    case .missing: "the index lacks one of its blocks"
    case .damaged(let text): text
    case .outdated: "the index lacks rows"
    case .failed(let error): error.message
    }
  }
}
