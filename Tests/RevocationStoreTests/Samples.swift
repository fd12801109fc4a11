import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// Ids that read as a number, so that a test says what it means.
func sixteenBytes(_ number: UInt64) -> [UInt8] {
  [UInt8](repeating: 0, count: 8) + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
}

func session(_ number: UInt64) throws -> SessionID {
  try #require(SessionID(bytes: sixteenBytes(number)))
}

func time(_ milliseconds: Int64) -> Timestamp {
  Timestamp(milliseconds: milliseconds)
}

/// What a query returns, in few words.
extension Connection {
  func number(_ sql: String) throws -> Int64? { try first(sql) { try $0.integer(0) } }
  func numbers(_ sql: String) throws -> [Int64] { try all(sql) { try $0.integer(0) } }
  func text(_ sql: String) throws -> String? { try first(sql) { try $0.text(0) } }
  func texts(_ sql: String) throws -> [String] { try all(sql) { try $0.text(0) } }

  /// A look into the file, or a blow to it, from outside the store.
  static func outside(_ folder: TemporaryFolder) throws -> Connection {
    try Connection(folder.database, waiting: .atMost(milliseconds: 0))
  }
}

extension RevocationStore {
  /// As a loop that has just begun looks them up.
  func revocations(of sessions: [SessionID]) throws -> [Revocation] {
    let reader = LookUpReader(self)
    return try sessions.compactMap { try reader.revocation(of: $0) }
  }
}

extension RevocationStore {
  /// As pruning does.
  func forget(_ condition: String = "true") throws {
    try write {
      try $0.execute("DELETE FROM revocation WHERE \(condition); DELETE FROM event WHERE \(condition)")
    }
  }
}

extension IncomingEvent {
  static func revoking(
    _ number: UInt64, event: UInt64? = nil, message: String? = nil, by: RevokedBy = .user, revokedAt: Int64? = 1000,
    createdAt: Int64? = 500, occurredAt: Int64? = 1500, receivedAt: Int64 = 2000, body: [UInt8] = [1, 2, 3]
  ) throws -> IncomingEvent {
    IncomingEvent(
      key: try #require(EventKey(bytes: sixteenBytes(event ?? number))), messageID: message, body: body,
      receivedAt: time(receivedAt), occurredAt: occurredAt.map(time),
      kind: .sessionRevoked(
        SessionRevoked(
          name: by == .user ? EventNames.sessionRevoked : EventNames.adminSessionRevoked,
          eventID: eventID(event ?? number), session: try session(number), by: by, revokedAt: revokedAt.map(time),
          createdAt: createdAt.map(time))))
  }

  /// A UUID, as Dynamic's are, but for every third.
  static func eventID(_ number: UInt64) -> String {
    number % 3 == 1 ? "event-\(number)" : UUIDBytes(high: 0x0123_4567_89AB_CDEF, low: number).uuidText
  }

  static func other(_ number: UInt64, body: [UInt8] = [7], receivedAt: Int64 = 2000) throws -> IncomingEvent {
    IncomingEvent(
      key: try #require(EventKey(bytes: sixteenBytes(number))), messageID: nil, body: body,
      receivedAt: time(receivedAt), occurredAt: nil, kind: .other(name: "user.created"))
  }

  static func undecodable(_ number: UInt64) throws -> IncomingEvent {
    IncomingEvent(
      key: try #require(EventKey(bytes: sixteenBytes(number))), messageID: nil, body: [0xFF], receivedAt: time(2000),
      occurredAt: nil, kind: .undecodable(problem: "the body is not JSON"))
  }
}

extension InlineLookUps {
  func isAnyRevoked(_ sessions: [SessionID]) throws(StoreError) -> Bool { try !revoked(of: sessions).isEmpty }

  func revocation(of session: SessionID) throws(StoreError) -> Revocation? {
    try revocation(of: session) { revokedAt, by, eventID in
      Revocation(
        session: session, revokedAt: revokedAt, by: by,
        eventID: eventID.isEmpty ? nil : String(decoding: eventID.indices.map { eventID[$0] }, as: UTF8.self))
    }
  }
}

extension FeedEntry {
  var session: SessionID? {
    guard case .session(let session, _) = subject else { return nil }
    return session
  }

  var cutOff: CutOff? {
    guard case .cutOff(let cutOff) = subject else { return nil }
    return cutOff
  }
}
