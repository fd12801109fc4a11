/// What `GET /v1/status` returns and `revoked status` shows: a server as of one moment, as JSON with these names. Times
/// are RFC 3339.
package struct ServiceStatus: Codable, Equatable, Sendable {
  package struct Handler: Codable, Equatable, Sendable {
    package var handler: String
    package var pending: Int
    package var dead: Int
    /// Since the oldest pending event was received; absent when none is pending.
    package var oldestPendingSeconds: Double?
  }

  package struct Store: Codable, Equatable, Sendable {
    /// The database file, or the database's URL without its secrets.
    package var path: String
    /// When the store was made: no session revoked before is known.
    package var createdAt: String
    /// The database and its log. Absent, as the next, where another server has them.
    package var bytes: Int?
    /// What the file system has left for this user.
    package var freeBytes: Int?
  }

  /// The webhook at Dynamic, as it was when it was last looked after.
  package struct Webhook: Codable, Equatable, Sendable {
    /// When Dynamic was last asked, and answered; absent before the first time.
    package var checkedAt: String?
    /// Absent when it is not known: Dynamic was not reached yet, or has no such webhook.
    package var enabled: Bool?
    /// Since when it is so, as far as that was seen.
    package var since: String?
    /// Messages that Dynamic could not deliver and that were not fetched yet.
    package var failedMessages: Int?
    /// Why the last look failed, one sentence; absent when it did not.
    package var problem: String?

    package init(
      checkedAt: String? = nil, enabled: Bool? = nil, since: String? = nil, failedMessages: Int? = nil,
      problem: String? = nil
    ) {
      self.checkedAt = checkedAt
      self.enabled = enabled
      self.since = since
      self.failedMessages = failedMessages
      self.problem = problem
    }
  }

  package var version: String
  /// As `/readyz` says it.
  package var ready: Bool
  /// Why it is not ready, one sentence each; empty when it is.
  package var reasons: [String]
  /// When Dynamic's last genuinely signed delivery came; absent before the first.
  package var lastSigned: String?
  /// Sessions that are refused; absent when the store cannot be read.
  package var sessions: Int?
  /// Events that are stored; absent when the store cannot be read.
  package var events: Int?
  /// Those that are configured, by name; absent when the store cannot be read.
  package var handlers: [Handler]?
  package var store: Store
  /// Starts that followed an end without a stop: a crash, `kill -9`, a power cut.
  package var uncleanStarts: Int
  /// Absent without a token for Dynamic's API: then nothing looks after it.
  package var webhook: Webhook?
}
