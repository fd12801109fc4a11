import DynamicEvents
import Storage
import TestSupport
import Testing

@testable import RevocationStore

#if PostgreSQL
  import PostgreSQLStore
#endif

/// The engines that have to keep the contract of a store.
enum Engine: String, CaseIterable, Sendable {
  case embedded
  #if PostgreSQL
    case postgreSQL
  #endif

  /// Whether numbers follow each other without a gap.
  var countsEachNumber: Bool { self == .embedded }

  /// Whether nobody else may have a handler, so that events are kept for those alone that this node has.
  var hasOneNode: Bool { self == .embedded }

  /// An empty place for a store.
  func place() throws -> StorePlace {
    switch self {
    case .embedded: .folder(try TemporaryFolder())
    #if PostgreSQL
      case .postgreSQL: .database(url: try PostgreSQLServer.shared().makeDatabaseURL())
    #endif
    }
  }
}

/// Where a store of a test's own is.
enum StorePlace {
  case folder(TemporaryFolder)
  #if PostgreSQL
    case database(url: String)
  #endif

  func open(_ mode: StoreMode = .serve, retention: Duration = Retention.ofDynamic) throws -> any Store {
    switch self {
    case .folder(let folder): try RevocationStore(data: folder.data, mode: mode, retention: retention)
    #if PostgreSQL
      case .database(let url): try PostgreSQLStore(url: url, mode: mode, retention: retention)
    #endif
    }
  }
}

/// Keeps the places of one test until it has ended.
final class StorePlaces {
  private var places: [StorePlace] = []

  func place(_ engine: Engine) throws -> StorePlace {
    let place = try engine.place()
    places.append(place)
    return place
  }
}

/// Asks until there is an answer: a server that a busy machine keeps from one for a second is out of reach.
func answered<Value>(_ question: () throws -> Value) throws -> Value {
  var answers: [Value] = []
  _ = try eventually {
    do { answers.append(try question()) } catch StoreError.unreachable, StoreError.leaseEnded {}
    return !answers.isEmpty
  }
  return try #require(answers.first)
}

extension Store {
  /// Whether look-ups that begin now refuse the session.
  func refuses(_ number: UInt64) throws -> Bool {
    let lookUps = makeLookUps().awaited
    defer { lookUps.roundEnded() }
    return try answered { try lookUps.revoked(of: [session(number)]) } == [session(number)]
  }

  func lookUp(_ number: UInt64) throws -> Revocation? {
    let lookUps = makeLookUps().awaited
    defer { lookUps.roundEnded() }
    return try answered { try lookUps.revocation(of: session(number)) }
  }

  func lead(_ handler: String, at now: Timestamp = time(1)) throws -> HandlerLease {
    guard case .leads(let lease) = try claim(handler, patterns: ["*"], at: now) else {
      throw StoreError.busy(path: handler)
    }
    return lease
  }

  func fresh(after position: Int64, limit: Int = 100, handler: Int64? = nil) throws -> [Int64] {
    try events(after: position, limit: limit, bytes: 4 << 20, handler: handler).events.map(\.seq)
  }

  func due(_ handler: Int64, at now: Timestamp) throws -> DuePage {
    try dueDeliveries(handler: handler, at: now, limit: 100, bytes: 4 << 20, upTo: .max, excluding: [])
  }

  func forgetAll(at now: Timestamp, handlers: [String] = []) throws {
    var step: PruneStep? = .first
    while let next = step { step = try prune(next, at: now, handlers: handlers) }
  }
}
