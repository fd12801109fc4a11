/// What `GET /v1/status` returns and `revoked status` shows: a server as of one moment, as JSON with these names.
package struct ServiceStatus: Codable, Equatable, Sendable {
  package struct Handler: Codable, Equatable, Sendable {
    package var handler: String
    package var pending: Int
    package var dead: Int
    /// Since the oldest pending event was received; absent when none is pending.
    package var oldestPendingSeconds: Double?

    package init(_ handler: String, pending: Int, dead: Int, oldestPendingSeconds: Double? = nil) {
      self.handler = handler
      self.pending = pending
      self.dead = dead
      self.oldestPendingSeconds = oldestPendingSeconds
    }
  }

  package struct Store: Codable, Equatable, Sendable {
    /// The database file.
    package var path: String
    /// RFC 3339; absent when the store does not know.
    package var createdAt: String?
    /// The database and its log.
    package var bytes: Int
    /// What the file system has left for this user; absent when it does not say.
    package var freeBytes: Int?

    package init(path: String, createdAt: String? = nil, bytes: Int, freeBytes: Int? = nil) {
      self.path = path
      self.createdAt = createdAt
      self.bytes = bytes
      self.freeBytes = freeBytes
    }
  }

  package var version: String
  /// As `/readyz` says it.
  package var ready: Bool
  /// Why it is not ready, one sentence each; empty when it is.
  package var reasons: [String]
  /// When Dynamic's last genuinely signed delivery came, RFC 3339; absent before the first.
  package var lastSigned: String?
  /// Sessions that are refused.
  package var sessions: Int
  /// Events that are stored.
  package var events: Int
  /// Those that are configured, by name.
  package var handlers: [Handler]
  package var store: Store
  /// Starts that followed an end without a stop: a crash, `kill -9`, a power cut.
  package var uncleanStarts: Int

  package init(
    version: String, ready: Bool, reasons: [String], lastSigned: String?, sessions: Int, events: Int,
    handlers: [Handler], store: Store, uncleanStarts: Int
  ) {
    self.version = version
    self.ready = ready
    self.reasons = reasons
    self.lastSigned = lastSigned
    self.sessions = sessions
    self.events = events
    self.handlers = handlers
    self.store = store
    self.uncleanStarts = uncleanStarts
  }
}
