#if PostgreSQL
  import DynamicEvents
  import Dispatch
  import Glibc
  import PostgreSQLStore
  import Storage
  import TestSupport
  import Testing

  /// Ids that read as a number, so that a test says what it means.
  func sixteenBytes(_ number: UInt64) -> [UInt8] {
    [UInt8](repeating: 0, count: 8) + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
  }

  /// What a test cannot go on from.
  struct Unexpected: Error {}

  func session(_ number: UInt64) throws -> SessionID {
    try #require(SessionID(bytes: sixteenBytes(number)))
  }

  func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

  extension IncomingEvent {
    static func revoking(
      _ number: UInt64, event: UInt64? = nil, message: String? = nil, revokedAt: Int64 = 1000, createdAt: Int64? = 500,
      receivedAt: Int64 = 2000, body: [UInt8] = [1, 2, 3]
    ) throws -> IncomingEvent {
      IncomingEvent(
        key: try #require(EventKey(bytes: sixteenBytes(event ?? number))), messageID: message, body: body,
        receivedAt: time(receivedAt), occurredAt: time(1500),
        kind: .sessionRevoked(
          SessionRevoked(
            name: EventNames.sessionRevoked, eventID: "event-\(event ?? number)", session: try session(number),
            by: .user, revokedAt: time(revokedAt), createdAt: createdAt.map(time))))
    }

    static func other(_ number: UInt64, body: [UInt8] = [7], receivedAt: Int64 = 2000) throws -> IncomingEvent {
      IncomingEvent(
        key: try #require(EventKey(bytes: sixteenBytes(number))), messageID: nil, body: body,
        receivedAt: time(receivedAt), occurredAt: nil, kind: .other(name: "user.created"))
    }

    static func undecodable(_ number: UInt64) throws -> IncomingEvent {
      IncomingEvent(
        key: try #require(EventKey(bytes: sixteenBytes(number))), messageID: nil, body: [0xFF],
        receivedAt: time(2000), occurredAt: nil, kind: .undecodable(problem: "the body is not JSON"))
    }

    static func cutting(_ id: UUIDBytes, before: Int64, event: UInt64) throws -> IncomingEvent {
      IncomingEvent(
        key: try #require(EventKey(bytes: sixteenBytes(event))), source: .operator, messageID: nil, body: [1],
        receivedAt: time(before), occurredAt: nil, kind: .cutOff(CutOff(.user, id, before: time(before))))
    }
  }

  /// A database of a test's own on the common server, and stores on it.
  struct TestDatabase {
    let server: PostgreSQLServer
    let name: String

    init(on server: PostgreSQLServer? = nil) throws {
      self.server = try server ?? PostgreSQLServer.shared()
      name = try self.server.makeDatabase()
    }

    var url: String { server.url(name) }

    func open(_ mode: StoreMode = .serve, retention: Duration = Retention.ofDynamic) throws -> PostgreSQLStore {
      try PostgreSQLStore(url: url, mode: mode, retention: retention, now: time(2000))
    }

    @discardableResult
    func run(_ sql: String) throws -> String { try server.run(sql, in: name) }
  }

  /// Look-ups as an event loop has them, but for a thread that waits.
  final class LookUpLoop {
    let lookUps: any RemoteLookUps

    struct NoAnswer: Error {}

    init(_ store: PostgreSQLStore) throws {
      guard case .remote(let lookUps) = store.makeLookUps() else { throw NoAnswer() }
      self.lookUps = lookUps
    }

    /// Runs the loop until `isOver`. Whatever happens, an answer comes within a second; without that bound none might.
    func run(until isOver: () -> Bool) throws {
      let end = ContinuousClock.now + .seconds(20)
      while !isOver() {
        guard ContinuousClock.now < end else { throw NoAnswer() }
        var place = pollfd(fd: lookUps.descriptor, events: Int16(POLLIN), revents: 0)
        let now = DispatchTime.now().uptimeNanoseconds
        let wait = lookUps.deadline > now ? min((lookUps.deadline - now) / 1_000_000 + 1, 1000) : 0
        unsafe _ = poll(&place, 1, Int32(wait))
        lookUps.descriptorReady()
      }
    }

    /// One round with one question.
    func isRevoked(_ sessions: [SessionID]) throws -> Result<[SessionID], StoreError> {
      var answer: Result<[SessionID], StoreError>?
      lookUps.revoked(of: sessions) { answer = $0 }
      lookUps.roundEnded()
      try run { answer != nil }
      return try #require(answer)
    }

    func standing(_ token: TokenClaims, at now: Timestamp) throws -> Result<[TokenStanding], StoreError> {
      var answer: Result<[TokenStanding], StoreError>?
      lookUps.standings(of: [token], at: now) { answer = $0 }
      lookUps.roundEnded()
      try run { answer != nil }
      return try #require(answer)
    }

    /// Asks until the server, or the lease, is there.
    func first(_ sessions: [SessionID]) throws -> [SessionID] {
      var answer: [SessionID]?
      _ = eventually {
        answer = try? isRevoked(sessions).get()
        return answer != nil
      }
      return try #require(answer)
    }

    /// Asks for all of these, a thousand at a time. Returns those that are not revoked.
    func missing(of numbers: [UInt64]) throws -> [SessionID] {
      try stride(from: 0, to: numbers.count, by: 1000).flatMap { start in
        let some = try numbers[start..<min(start + 1000, numbers.count)].map { try session($0) }
        return try Set(some).subtracting(first(some))
      }
    }
  }
#endif
