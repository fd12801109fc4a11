internal import Dispatch
internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import Handlers
internal import Storage
internal import Synchronization

/// Makes the answer to `GET /v1/status`, away from the loops: it asks the store and the disk.
final class StatusReport: Sendable {
  private let context: ResponderContext
  private let readiness: Readiness
  private let queue = DispatchQueue(label: "revoked.status")

  init(_ context: ResponderContext, _ readiness: Readiness) {
    self.context = context
    self.readiness = readiness
  }

  func render(_ answer: @escaping @Sendable (Response) -> Void) {
    readiness.ask { [self] reasons in
      queue.async {
        guard let body = try? JSONEncoder.ofAnswers.encode(self.status(reasons)) else { return answer(Answers.unfit) }
        answer(Response(.ok, body: Array(body)))
      }
    }
  }

  private func status(_ reasons: [String]) -> ServiceStatus {
    let store = context.store
    let sizes = store.sizes
    // What the store cannot say is left out; why it cannot stands among the reasons.
    let tally = try? store.tally()
    return ServiceStatus(
      version: Receiver.version, ready: reasons.isEmpty, reasons: reasons,
      lastSigned: context.lastSigned.map { "\($0)" }, sessions: tally?.revocations, events: tally?.events,
      handlers: try? handlers(),
      store: ServiceStatus.Store(
        path: store.location, createdAt: "\(store.createdAt)", bytes: sizes.map { $0.database + $0.log },
        freeBytes: sizes?.free, waitsForStandby: store.server?.waitsForStandby,
        standbyIsAway: store.server?.isStandbyAway),
      uncleanStarts: context.dispatcher.uncleanStarts, webhook: context.dynamic?.status)
  }

  private func handlers() throws(StoreError) -> [ServiceStatus.Handler] {
    let backlogs = try context.store.backlogs()
    let oldest = try context.store.oldestPending()
    let leaders = try context.store.leaders()
    let now = context.now()
    return context.dispatcher.counters.map(\.name).sorted().map { name in
      ServiceStatus.Handler(
        handler: name, pending: backlogs[name]?.pending ?? 0, dead: backlogs[name]?.dead ?? 0,
        oldestPendingSeconds: oldest[name].map { now.seconds(since: $0) },
        leader: leaders.map { leaders in
          ServiceStatus.Leader(
            node: leaders[name]?.node, here: leaders[name]?.isHere ?? false,
            renewedSeconds: leaders[name].map { $0.renewedAgo / .seconds(1) })
        })
    }
  }
}

/// What `GET /v1/status` returns and `revoked status` shows: a server as of one moment, as JSON with these names. Times
/// are RFC 3339.
package struct ServiceStatus: Codable, Equatable, Sendable {
  package struct Handler: Codable, Equatable, Sendable {
    package var handler: String
    package var pending: Int
    package var dead: Int
    /// Since the oldest pending event was received; absent when none is pending.
    package var oldestPendingSeconds: Double?
    /// Absent where no other node can be.
    package var leader: Leader?
  }

  /// Which node makes a handler's attempts.
  package struct Leader: Codable, Equatable, Sendable {
    /// `host/process/digits`; absent: none at the moment.
    package var node: String?
    /// It is this server.
    package var here: Bool
    /// How long ago its lease of 15 seconds was renewed.
    package var renewedSeconds: Double?
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
    /// Whether each commit waits for a second server; absent for an embedded store, as the next, and while not known.
    package var waitsForStandby: Bool?
    /// That one is away, so that nothing can be committed.
    package var standbyIsAway: Bool?
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
