#if PostgreSQL
  internal import Dispatch
  internal import PostgreSQL
  internal import Storage
  internal import Synchronization

  /// How long look-ups may be answered, by this process's own proof that the server it asks is the primary: it was able
  /// to commit there, and a commit waits for the standby.
  ///
  /// Without a synchronous standby an old primary can go on committing beside the new one; then whoever promotes must
  /// see to it that the old one has ended.
  final class ReadLease: Sendable {
    /// Counted from before the commit was asked for. To be shorter than any failover manager takes to promote.
    static let validity = Duration.seconds(3)

    private let state = Mutex((generation: -1, until: Deadline(nanoseconds: 0)))
    private let node: Node

    init(_ node: Node) {
      self.node = node
    }

    func prolong(_ generation: Int, askedAt start: Deadline) {
      state.withLock { $0 = (generation, start + Self.validity) }
    }

    /// Since the commit was asked for from which it counts; nil: there was none yet.
    var age: Duration? {
      let state = state.withLock { $0 }
      guard state.generation >= 0 else { return nil }
      return .nanoseconds(Int64(clamping: Deadline.now.nanoseconds) - Int64(clamping: state.until.nanoseconds))
        + Self.validity
    }

    /// For connections of the present generation.
    var isValid: Bool { covers(node.generation) }

    func covers(_ generation: Int) -> Bool {
      let state = state.withLock { $0 }
      return state.generation == generation && node.generation == generation && Deadline.now < state.until
    }
  }

  /// What a node does a few times a second, over a connection of its own: sees what others have committed, and commits
  /// something that shows that it can.
  final class Pulse: Sendable {
    private static let period = Duration.milliseconds(250)
    /// Of such periods.
    private static let beatEvery = 2
    private static let upkeepEvery = 20
    /// Longer than the read lease would be of no use.
    private static let patience = ReadLease.validity

    let lease: ReadLease
    /// Told on the pulse's queue of what others may have changed.
    let observers = Observers()
    private let node: Node
    private let shared: SharedSettings
    private let notify: @Sendable (StoreNotice) -> Void
    private let queue = DispatchQueue(label: "revoked.postgresql.pulse")
    private let state = Mutex(State())

    private struct State {
      var connection: NodeConnection?
      var count = 0
      var isStopped = false
      var last: Seen?
      var waitsForStandby: Bool?
      var keepsCommits: Bool?
    }

    /// What others may have changed.
    private struct Seen: Hashable {
      var revocation: Int64
      var event: Int64
      var changes: Int64
    }

    init(_ node: Node, _ shared: SharedSettings, _ notify: @escaping @Sendable (StoreNotice) -> Void) {
      self.node = node
      self.shared = shared
      self.notify = notify
      lease = ReadLease(node)
    }

    /// Returns behind the first beat, so that look-ups are answered at once. If it fails, the next ones go on trying.
    ///
    /// - Parameter seen: called with the newest number of the feed.
    func start(_ seen: @escaping @Sendable (Int64, _ generation: Int) -> Void) {
      queue.sync { take(seen) }
    }

    var standing: ServerStanding {
      // Where the standby is away, no beat returns that would say that there is to be one.
      let isStandbyAway = node.isStandbyAway
      return ServerStanding(
        proofAge: lease.age, waitsForStandby: isStandbyAway ? true : state.withLock { $0.waitsForStandby },
        isStandbyAway: isStandbyAway)
    }

    func stop() {
      state.withLock { state in
        state.isStopped = true
        state.connection = nil
      }
    }

    private func take(_ seen: @escaping @Sendable (Int64, Int) -> Void) {
      let (count, isStopped) = state.withLock { state in
        state.count += 1
        return (state.count, state.isStopped)
      }
      guard !isStopped else { return }
      // A failure has ended the connection, or will, and with it the lease.
      try? beat(count, seen)
      queue.asyncAfter(deadline: .now() + .milliseconds(Int(Self.period / .milliseconds(1)))) { [weak self] in
        self?.take(seen)
      }
    }

    private func beat(_ count: Int, _ seen: (Int64, Int) -> Void) throws {
      let start = Deadline.now
      let deadline = start + Self.patience
      var isNew = false
      var connection = state.withLock { $0.connection }
      if connection?.isUsable != true {
        connection = nil
        state.withLock { $0.connection = nil }
        connection = try node.connect(until: deadline)
        isNew = true
        state.withLock { $0.connection = connection }
      }
      guard let connection else { return }
      let beats = isNew || count % Self.beatEvery == 0
      let asked = Deadline.now
      let found = try connection.use { connection in
        let row = try connection.query(
          """
          SELECT (\(Numbers.lastRevocation)), (\(Numbers.lastEvent)), (SELECT changes FROM revoked.tally),
            CASE WHEN $1 THEN setval('revoked.beat', 1) END, pg_is_in_recovery(),
            current_setting('synchronous_standby_names') <> '',
            current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
          """, [Parameter(beats)], until: deadline)[0]
        guard try !row.bool(4) else {
          connection.close()
          throw PostgreSQLError(.unreachable, state: "25006", "the server is a standby")
        }
        noteStandby(try row.bool(5))
        noteSafety(try row.bool(6))
        return try Seen(revocation: row.integer(0), event: row.integer(1), changes: row.integer(2))
      }
      if beats {
        node.noteStandby()
        lease.prolong(connection.generation, askedAt: asked)
      }
      seen(found.revocation, connection.generation)
      let isChanged = state.withLock { state in
        defer { state.last = found }
        return state.last != found
      }
      if isChanged { observers.tell() }
      if isNew || count % Self.upkeepEvery == 0 { try upkeep(connection, count) }
    }

    private func noteStandby(_ isThere: Bool) {
      let before = state.withLock { state in
        defer { state.waitsForStandby = isThere }
        return state.waitsForStandby
      }
      if !isThere, before != false { notify(.waitsForNoStandby) }
      if isThere, before == false { notify(.waitsForStandby) }
    }

    /// Both may be turned off beneath a server that runs.
    private func noteSafety(_ isSafe: Bool) {
      let before = state.withLock { state in
        defer { state.keepsCommits = isSafe }
        return state.keepsCommits
      }
      if !isSafe, before != false { notify(.mayLoseCommits) }
      if isSafe, before == false { notify(.keepsCommits) }
    }

    /// Keeps this node's registrations, and learns what others have set.
    private func upkeep(_ connection: NodeConnection, _ count: Int) throws {
      try connection.use { connection in
        let deadline = Deadline.after(Self.patience)
        if let retention = try Retention.fetch(connection, until: deadline) { shared.retention = retention }
        try connection.query(
          """
          UPDATE revoked.registration SET until = clock_timestamp() + interval '\(Registration.validity)'
          WHERE node = $1
          """, [Parameter(node.name)], until: deadline)
        shared.patternsElsewhere = try connection.query(
          """
          SELECT DISTINCT unnest(patterns) FROM revoked.registration
          WHERE node <> $1 AND until > clock_timestamp() ORDER BY 1
          """, [Parameter(node.name)], until: deadline
        ).map { try $0.text(0) }
        // Not before every handler of this node's has had the time to register.
        if count > Registration.sweepsAfter { try Registration.sweep(connection, until: deadline) }
      }
    }
  }
#endif
