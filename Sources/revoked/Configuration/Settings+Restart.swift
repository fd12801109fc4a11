internal import Receiver
internal import Signature

extension Settings {
  /// The keys whose values differ from those that the process runs with, and that a reload leaves alone.
  func keysThatNeedRestart(since running: Settings) -> [String] {
    let old = Dictionary(running.entries.map { ($0.key, $0.shown) }) { first, _ in first }
    return entries.filter { entry in
      switch entry.key {
      case "secrets", "log.level": false
      // Two secrets are shown alike.
      case "private-token": !receiver.privateToken.isSame(as: running.receiver.privateToken)
      case let key: !key.hasPrefix("handlers.") && old[key] != entry.shown
      }
    }
    .map(\.key)
  }
}

extension Secret? {
  fileprivate func isSame(as other: Secret?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return other.withBytes { self.matches($0) }
  }
}
