internal import Storage
internal import Synchronization

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
