internal import SQLite
internal import Storage
internal import SystemPackage

extension StoreError {
  /// What an error of SQLite means for the file at `path`. Only its message is kept, and not the SQL text.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as StoreError: self = error
    case let error as SQLiteError: self.init(error, path: path)
    case is StoreClosed: self = .io(path: path, cause: "it was closed")
    default: self = .io(path: path, cause: "\(error)")
    }
  }

  private init(_ error: SQLiteError, path: String) {
    switch error.kind {
    case .notADatabase: self = .foreign(path: path, cause: error.message)
    case .corrupt: self = .corrupt(path: path, cause: error.message)
    case .full: self = .full(path: path)
    case .busy, .locked: self = .busy(path: path)
    case .cannotOpen, .readOnly, .io, .noSuchThing, nil:
      var cause = error.message
      if error.systemError != 0 { cause += ": \(Errno(rawValue: error.systemError).description)" }
      if error.kind == .cannotOpen || error.kind == .readOnly { cause += " (\(FileAccess.owner(ofDatabase: path)))" }
      self = .io(path: path, cause: "\(cause) (SQLite \(error.code))")
    }
  }
}
