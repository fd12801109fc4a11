internal import GRDB

enum BlockError: Error {
  /// The snapshot has no such block: it is older than the run, or the run has been merged into another one.
  case missing
  /// It is not as it was written.
  case malformed
  case failed(code: CInt)

  /// What it is where the snapshot is known to have the run.
  var databaseError: DatabaseError {
    switch self {
    case .missing: DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an index lacks one of its blocks")
    case .malformed: DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an index's block is malformed")
    case .failed(let code): DatabaseError(resultCode: ResultCode(rawValue: code), message: "reading an index's block")
    }
  }
}
