internal import SQLite
internal import Storage
internal import Synchronization
internal import SystemPackage

/// What failed before, as far as it bears on what may be done next.
final class StoreHealth: Sendable {
  fileprivate struct State {
    var damage: StoreError?
    var isOutOfSpace = false
    var isLogSuspect = false
  }

  private let state = Mutex(State())

  /// A page that made no sense: from then on nothing here can be relied upon, neither a "not revoked" nor a commit.
  /// Stays until the store is opened again.
  var damage: StoreError? { state.withLock { $0.damage } }

  /// The last append found no space.
  var isOutOfSpace: Bool { state.withLock { $0.isOutOfSpace } }

  /// A write or a sync failed, and the log has not been written anew since.
  var isLogSuspect: Bool { state.withLock { $0.isLogSuspect } }

  func readFailed(_ error: StoreError) {
    state.withLock { $0.note(error) }
  }

  func writeFailed(_ error: StoreError) {
    state.withLock { state in
      state.note(error)
      switch error {
      case .full: state.isOutOfSpace = true
      case .io: state.isLogSuspect = true
      default: break
      }
    }
  }

  func appended() {
    state.withLock { $0.isOutOfSpace = false }
  }

  func logWasRewritten() {
    state.withLock { $0.isLogSuspect = false }
  }
}

extension StoreHealth.State {
  fileprivate mutating func note(_ error: StoreError) {
    switch error {
    // A file that was a store when it was opened and is none now is damaged as well.
    case .corrupt, .foreign: damage = damage ?? error
    default: break
    }
  }
}

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
