internal import RevocationStore
package import Storage

#if PostgreSQL
  internal import Foundation
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
      if mode == .serve {
        // For what is this process's own: which attempts are under way, and its addresses. Both are done without.
        try? FileManager.default.createDirectory(
          atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      }
      return try PostgreSQLStore(
        url: store.text, mode: mode, makesStore: makesStore, retention: retention, notify: notify)
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
