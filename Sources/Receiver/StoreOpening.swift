internal import DynamicEvents
internal import Logging
internal import RevocationStore
package import Storage

#if PostgreSQL
  internal import PostgreSQLStore
#endif

/// Where the store of several receivers is: a URL of PostgreSQL's as libpq reads it. It may hold a password, so that it
/// is never shown.
public struct StoreURL: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  package let text: String

  /// `nil` for what does not begin with `postgres://` or `postgresql://`.
  public init?(_ text: String) {
    guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://"), !text.utf8.contains(0) else { return nil }
    self.text = text
  }

  /// Without all that may be secret.
  public var description: String {
    #if PostgreSQL
      PostgreSQLStore.redacted(text)
    #else
      "postgres://…"
    #endif
  }

  public var debugDescription: String { description }

  /// Why no server could be asked; nil where this build cannot tell.
  package var problem: String? {
    #if PostgreSQL
      PostgreSQLStore.problem(text)
    #else
      nil
    #endif
  }

  /// What may be meant so, but is not safe.
  package var doubt: String? {
    #if PostgreSQL
      PostgreSQLStore.doubt(text)
    #else
      nil
    #endif
  }
}

extension ReceiverConfiguration {
  /// Opens the store that is configured. Throws `misconfigured` for one on PostgreSQL where this build has no part in
  /// it that speaks to PostgreSQL.
  package func openStore(
    _ mode: StoreMode, notify: @escaping @Sendable (StoreNotice) -> Void = { _ in }
  ) throws(StoreError) -> any Store {
    guard let store else {
      return try RevocationStore(
        data: data, mode: mode, makesStore: makesStore, retention: retention, notify: notify)
    }
    #if PostgreSQL
      return try PostgreSQLStore(
        url: store.text, mode: mode, makesStore: makesStore, retention: retention, notify: notify)
    #else
      throw Self.cannotReach(store)
    #endif
  }

  /// Locks the data folder for what is this process's own where the store is elsewhere: which attempts are under way,
  /// and its addresses. An embedded store locks it itself.
  ///
  /// Returns nil for a folder that cannot be used, which is done without: nothing in it matters. So is one that another
  /// server has: each would take the other's attempts for those of a process that was killed, and end its commands.
  func lockFolder(_ logger: Logger) -> StoreLock? {
    #if PostgreSQL
      guard store != nil else { return nil }
      do throws(StoreError) {
        return try StoreLock(data: data)
      } catch {
        logger.warning(
          """
          attempts under way cannot be noted: a handler that ends the process would do so at every start; give each \
          receiver a data folder of its own
          """, metadata: ["error": "\(error)"])
      }
    #endif
    return nil
  }

  /// Asks the database, if one is configured, whether a receiver could work with it, and changes nothing there.
  ///
  /// - Parameter makesStore: whether a start may make a store where there is none.
  package func checkDatabase(makesStore: Bool) throws(StoreError) {
    guard let store else { return }
    #if PostgreSQL
      try PostgreSQLStore.check(url: store.text, makesStore: makesStore)
    #else
      throw Self.cannotReach(store)
    #endif
  }

  /// Makes or upgrades the tables of a store on PostgreSQL. Returns whether there were none.
  package func migrateStore(_ store: StoreURL, notify: (StoreNotice) -> Void) throws(StoreError) -> Bool {
    #if PostgreSQL
      return try PostgreSQLStore.migrate(url: store.text, notify: notify)
    #else
      throw Self.cannotReach(store)
    #endif
  }

  #if !PostgreSQL
    static func cannotReach(_ store: StoreURL) -> StoreError {
      .misconfigured(
        path: store.description, cause: "this build has no PostgreSQL in it: build it with `--traits PostgreSQL`")
    }
  #endif
}

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
    case .mayLoseCommits:
      error(
        "the database has fsync or full_page_writes off: a crash of its machine may lose what was acknowledged")
    case .keepsCommits:
      self.notice("the database has fsync and full_page_writes on again")
    case .waitsForStandby:
      self.notice("the database waits for a synchronous standby again")
    }
  }
}
