internal import DynamicEvents
internal import Logging
internal import Storage

extension Logger {
  /// What the store has to say beside what its calls return.
  func log(_ notice: StoreNotice) {
    switch notice {
    case .migrating(let from, let to):
      self.notice(
        "the store is being migrated: nothing listens until that is done, and no older version opens it again",
        metadata: ["from": "schema \(from)", "to": "schema \(to)"])
    case .restored(let last):
      warning(
        "the store is a backup that was restored: have Dynamic redeliver what came since lastReceived",
        metadata: ["lastReceived": "\(last?.description ?? "never")"])
    case .rebuildingIndex(let cause):
      error(
        "the store's index is being built anew from the rows: until that is done, look-ups and deliveries get 503",
        metadata: ["cause": "\(cause)"])
    case .rebuiltIndex(let rows, let duration):
      self.notice(
        "the store's index is built anew: look-ups and deliveries are answered again",
        metadata: [
          "rows": .stringConvertible(rows), "seconds": .stringConvertible(duration / .seconds(1)),
        ])
    case .rebuildFailed(let error):
      self.error(
        "building the store's index failed; tried again in a moment unless the store is damaged",
        metadata: ["error": "\(error)"])
    case .logCannotBeFolded(let bytes):
      warning(
        "the store's write-ahead log grows: another process keeps an old state of the store open",
        metadata: ["bytes": .stringConvertible(bytes)])
    case .logIsFolded:
      self.notice("the store's write-ahead log is folded into the database again")
    case .waitsForNoStandby:
      warning(
        """
        the database has no synchronous standby: a failover may lose what was acknowledged last, and a primary that \
        was replaced may go on answering; set synchronous_standby_names
        """)
    case .waitsForStandby:
      self.notice("the database waits for a synchronous standby again")
    }
  }
}
