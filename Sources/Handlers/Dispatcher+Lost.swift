internal import Logging
internal import RevocationStore

extension Dispatcher {
  /// A line for each handler that the store knows and nobody registered: what it has not delivered waits for nobody, and grows.
  func tellOfLost() {
    let names = Set(counters.map(\.name))
    // Whoever needs the store says when it fails; this only looks.
    guard let backlogs = try? store.backlogs() else { return }
    for (name, backlog) in backlogs.sorted(by: { $0.key < $1.key })
    where !names.contains(name) && (backlog.pending > 0 || backlog.dead > 0) {
      logger.warning(
        """
        events wait for a handler that is not configured: configure it again under this name, or have it forgotten by \
        `revoked dead discard --handler \(name)`
        """,
        metadata: [
          "handler": "\(name)", "pending": .stringConvertible(backlog.pending),
          "dead": .stringConvertible(backlog.dead),
        ])
    }
  }
}
