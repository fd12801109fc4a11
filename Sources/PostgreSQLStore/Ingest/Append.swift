#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  package import Storage
  internal import Synchronization

  extension PostgreSQLStore {
    /// What one call of the function takes: more would only have others wait for the lock.
    private static let mostEvents = 512
    private static let mostBytes = 8 << 20

    /// Anything but a clear success throws, though the events may then be stored all the same: who sends them again
    /// learns that they are duplicates.
    @discardableResult
    package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
      guard mode != .inspect else { throw .readOnly(path: location) }
      let retention = shared.retention
      var outcomes: [AppendOutcome] = []
      outcomes.reserveCapacity(batch.count)
      do {
        var rest = batch[...]
        repeat {
          let part = rest.prefix(Self.count(of: rest))
          rest = rest.dropFirst(part.count)
          let call = AppendCall(part, retention)
          let receivedAt = call.receivedAt.flatMap { heard.isNews($0) ? $0 : nil }
          let deadline = Deadline.after(Self.patience)
          let generation = node.generation
          let (stored, last) = try writer.use(until: deadline) { connection in
            let row = try connection.query(AppendCall.sql, call.parameters(heard: receivedAt), until: deadline)[0]
            return try (row.integers(0), row.integer(1))
          }
          if let receivedAt { heard.wrote(receivedAt) }
          note(last, generation)
          outcomes += call.outcomes(stored: stored)
        } while !rest.isEmpty
      } catch {
        throw failure(error)
      }
      return outcomes
    }

    /// One event, in a transaction that has the lock already.
    func append(_ event: IncomingEvent, _ connection: Connection, until deadline: Deadline) throws {
      let call = AppendCall([event], shared.retention)
      let row = try connection.query(AppendCall.sql, call.parameters(heard: nil), until: deadline)[0]
      note(try row.integer(1), node.generation)
    }

    private static func count(of events: ArraySlice<IncomingEvent>) -> Int {
      var bytes = 0
      let count = events.prefix(mostEvents).prefix { event in
        bytes += event.body.count
        return bytes <= mostBytes
      }.count
      return max(count, min(1, events.count))
    }
  }

  /// When Dynamic was heard of, as this node wrote it last. The row is written some times a second at most: one that
  /// every append changed would grow a chain of versions while a long transaction is open.
  final class Heard: Sendable {
    private static let pause: Int64 = 250
    private let written = Atomic<Int64>(.min)

    func isNews(_ time: Timestamp) -> Bool {
      let written = written.load(ordering: .relaxed)
      return time.milliseconds < written || time.milliseconds - max(written, 0) >= Self.pause
    }

    func wrote(_ time: Timestamp) { written.store(time.milliseconds, ordering: .relaxed) }
  }

  /// One batch as arrays, each event and each session once.
  private struct AppendCall {
    static let sql = "SELECT * FROM revoked.append_1(\((1...22).map { "$\($0)" }.joined(separator: ", ")))"

    private var keys = ArrayParameter(.uuid)
    private var sources = ArrayParameter(.text)
    private var names = ArrayParameter(.text)
    private var problems = ArrayParameter(.text)
    private var received = ArrayParameter(.bigint)
    private var occurred = ArrayParameter(.bigint)
    private var bodies: ArrayParameter
    private var messages: [MessageIDs] = []

    private var sessions = ArrayParameter(.uuid)
    private var sessionNumbers = ArrayParameter(.integer)
    private var sessionPlaces = ArrayParameter(.integer)
    private var revokedAts = ArrayParameter(.bigint)
    private var revokedBys = ArrayParameter(.text)
    private var remembers: [Int64] = []
    private var eventIDs = ArrayParameter(.text)

    private var cutOffs: [(cutOff: CutOff, number: Int, place: Int)] = []
    private let retention: Retention

    /// Of each event of the batch: its place among the distinct ones, whether it is the first there, and whether it
    /// could be decoded.
    private var places: [(place: Int, isFirst: Bool, isDecodable: Bool)] = []
    /// When Dynamic was heard of last.
    private(set) var receivedAt: Timestamp?

    init(_ batch: ArraySlice<IncomingEvent>, _ retention: Retention) {
      self.retention = retention
      bodies = ArrayParameter(.bytea, capacity: batch.reduce(0) { $0 + $1.body.count + 4 })
      var known: [EventKey: Int] = [:]
      var knownSessions: [SessionID: Int] = [:]
      known.reserveCapacity(batch.count)
      for event in batch {
        if event.source == .webhook, !event.isTest { receivedAt = event.receivedAt }
        let place: Int
        let isFirst: Bool
        if let first = known[event.key] {
          (place, isFirst) = (first, false)
        } else {
          messages.append(MessageIDs())
          (place, isFirst) = (messages.count, true)
          known[event.key] = place
          add(event)
        }
        messages[place - 1].add(event.messageID)
        switch event.kind {
        case .sessionRevoked(let revoked):
          add(revoked.session, revoked, event, place, &knownSessions)
          for session in revoked.otherSessions { add(session, revoked, event, place, &knownSessions) }
        case .cutOff(let cutOff): add(cutOff, place)
        case .other, .undecodable: break
        }
        var isDecodable = true
        if case .undecodable = event.kind { isDecodable = false }
        places.append((place, isFirst, isDecodable))
      }
    }

    private mutating func add(_ event: IncomingEvent) {
      let (name, problem) = event.kind.noted
      keys.append(bigEndianWords: event.key.bigEndianWords)
      sources.append(event.source.rawValue)
      names.append(name)
      problems.append(problem)
      received.append(event.receivedAt.milliseconds)
      occurred.append(event.occurredAt?.milliseconds)
      bodies.append(event.body)
    }

    private mutating func add(
      _ session: SessionID, _ revoked: SessionRevoked, _ event: IncomingEvent, _ place: Int,
      _ known: inout [SessionID: Int]
    ) {
      let revokedAt = revoked.revokedAt ?? event.occurredAt ?? event.receivedAt
      let remember = retention.rememberFrom(revoked, revokedAt: revokedAt, receivedAt: event.receivedAt).milliseconds
      if let index = known[session] { return remembers[index] = max(remembers[index], remember) }
      known[session] = remembers.count
      sessionNumbers.append(integer: nextNumber)
      remembers.append(remember)
      sessions.append(bigEndianWords: session.bigEndianWords)
      sessionPlaces.append(integer: place)
      revokedAts.append(revokedAt.milliseconds)
      revokedBys.append(revoked.by.rawValue)
      eventIDs.append(revoked.eventID)
    }

    /// The latest of each user and environment.
    private mutating func add(_ cutOff: CutOff, _ place: Int) {
      if let index = cutOffs.firstIndex(where: { $0.cutOff.kind == cutOff.kind && $0.cutOff.id == cutOff.id }) {
        guard cutOffs[index].cutOff.before < cutOff.before else { return }
        (cutOffs[index].cutOff, cutOffs[index].place) = (cutOff, place)
      } else {
        cutOffs.append((cutOff, nextNumber, place))
      }
    }

    /// In the feed, counted from the newest one that was given out.
    private var nextNumber: Int { remembers.count + cutOffs.count + 1 }

    func parameters(heard: Timestamp?) -> [Parameter] {
      var texts = ArrayParameter(.text)
      for message in messages { texts.append(message.text) }
      var remembered = ArrayParameter(.bigint)
      for time in remembers { remembered.append(time) }
      var kinds = ArrayParameter(.text)
      var ids = ArrayParameter(.uuid)
      var befores = ArrayParameter(.bigint)
      var expiries = ArrayParameter(.bigint)
      var cutOffPlaces = ArrayParameter(.integer)
      var cutOffNumbers = ArrayParameter(.integer)
      for (cutOff, number, place) in cutOffs {
        cutOffNumbers.append(integer: number)
        kinds.append(cutOff.kind.rawValue)
        ids.append(bigEndianWords: cutOff.id.bigEndianWords)
        befores.append(cutOff.before.milliseconds)
        expiries.append(retention.expiresAt(rememberedFrom: cutOff.before, at: cutOff.before).milliseconds)
        cutOffPlaces.append(integer: place)
      }
      return [keys, sources, names, problems, texts, received, occurred, bodies].map(\.parameter)
        + [sessions, sessionNumbers, sessionPlaces, revokedAts, revokedBys, remembered, eventIDs].map(\.parameter)
        + [kinds, ids, cutOffNumbers, befores, expiries, cutOffPlaces].map(\.parameter)
        + [Parameter(heard?.milliseconds)]
    }

    func outcomes(stored: [Int64]) -> [AppendOutcome] {
      let stored = Set(stored)
      return places.map { place, isFirst, isDecodable in
        guard isDecodable else { return .undecodable }
        return isFirst && stored.contains(Int64(place)) ? .accepted : .duplicate
      }
    }
  }
#endif
