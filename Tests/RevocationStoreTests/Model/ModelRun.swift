import DynamicEvents
import Foundation
import KeyIndex
import Storage
import TestSupport
import Testing

@testable import RevocationStore

/// A store and its model, to which the same things happen.
struct ModelRun {
  private static let hour: Int64 = 3_600_000
  static let handlers = ["forward", "log"]
  static let sessions = UInt64(1)...9

  private(set) var model = StoreModel(handlers: handlers)
  private let engine: Engine
  private var place: StorePlace
  /// nil while no process has the store open.
  private var store: (any Store)?
  /// Looks up throughout the store's life, in rounds that last some steps.
  private var reader: (any InlineLookUps)?
  private var random: SplitMix
  private var now = 20_000 * 24 * hour
  private var leases: [String: HandlerLease] = [:]
  private var newest: UInt64 = 0

  init(seed: UInt64, _ engine: Engine) throws {
    random = SplitMix(seed: seed)
    self.engine = engine
    place = try engine.place()
    try open()
  }

  /// Ends it. Returns where the store is.
  mutating func finished() throws -> StorePlace {
    try stop()
    return place
  }

  func stored() throws -> StoreModel {
    try StoreModel(reading: #require(store), #require(reader), handlers: Self.handlers, sessions: Self.sessions)
  }

  /// Has something happen; answers what.
  mutating func step() throws -> String {
    now += .random(in: 0...2 * Self.hour, using: &random)
    if Bool.random(using: &random) { reader?.roundEnded() }
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<7: return try deliver()
    case 7..<11: return try attempt()
    case 11..<14: return try retry()
    case 14: return try replay()
    case 15: return try discard()
    case 16..<18: return try forget()
    case 18: return try kill()
    default: return try restart()
    }
  }

  /// New events, old ones again, and some that come behind those that happened after them.
  private mutating func deliver() throws -> String {
    let numbers = (0..<Int.random(in: 1...4, using: &random)).map { _ in
      UInt64.random(in: (newest > 12 ? newest - 12 : 1)...newest + 3, using: &random)
    }
    newest = max(newest, numbers.max() ?? 0)
    var events: [IncomingEvent] = []
    var expected: [AppendOutcome] = []
    let before = model
    for number in numbers {
      var event: IncomingEvent
      var revoked: (number: UInt64, createdAt: Int64)?
      switch number % 6 {
      case 0: event = try .undecodable(number)
      case 1: event = try .other(number)
      default:
        let session = number % Self.sessions.upperBound + 1
        let createdAt = now - .random(in: -2...60 * 24, using: &random) * Self.hour
        event = try .revoking(session, event: number, createdAt: createdAt)
        revoked = (session, createdAt)
      }
      event.receivedAt = time(now)
      event.body = sixteenBytes(number)
      events.append(event)
      expected.append(model.append(number, isDecodable: number % 6 != 0, session: revoked, at: now))
    }
    #expect(try store?.append(events) == expected)
    if !engine.countsEachNumber { model.renumber(as: try stored(), since: before) }
    return "deliver \(numbers)"
  }

  /// What a handler has not attempted yet.
  private mutating func attempt() throws -> String {
    let name = handler()
    let limit = Int.random(in: 1...4, using: &random)
    let page = try #require(
      try store?.events(after: model.handlers[name]?.position ?? 0, limit: limit, bytes: 4 << 20, handler: nil))
    #expect(page.events.map(\.seq) == Array(model.fresh(for: name).prefix(limit)))
    try record(page.events.map { outcome(of: $0.seq, number: 1) }, name, advancingTo: page.end)
    return "attempt by \(name)"
  }

  private mutating func retry() throws -> String {
    let name = handler()
    let due = try #require(try store?.due(leases[name]?.handler ?? 0, at: time(now))).due
    #expect(Dictionary(uniqueKeysWithValues: due.map { ($0.event.seq, $0.attempts) }) == model.due(for: name, at: now))
    try record(due.map { outcome(of: $0.event.seq, number: $0.attempts + 1) }, name)
    return "retry by \(name)"
  }

  private mutating func record(_ attempts: [Attempt], _ name: String, advancingTo position: Int64? = nil) throws {
    try store?.record(attempts, lease: #require(leases[name]), advancingTo: position)
    model.record(attempts, handler: name, advancingTo: position)
  }

  private mutating func outcome(of event: Int64, number: Int) -> Attempt {
    let outcome: Attempt.Outcome =
      switch Int.random(in: 0..<6, using: &random) {
      case 0: .dead(error: "gone")
      case 1, 2: .failed(error: "busy", retryAt: time(now + .random(in: 1...9, using: &random) * Self.hour))
      case 3: .claimed
      default: .delivered
      }
    return Attempt(event: event, number: number, at: time(now), outcome: outcome)
  }

  private mutating func replay() throws -> String {
    guard let id = model.deadLetters.randomElement(using: &random) else { return "nothing to replay" }
    // What could not be decoded still cannot.
    #expect(try store?.replay([id], at: time(now)) == (id.handler == nil ? [] : [id]))
    model.replay(id, at: now)
    return "replay \(id)"
  }

  private mutating func discard() throws -> String {
    guard let id = model.deadLetters.randomElement(using: &random) else { return "nothing to discard" }
    #expect(try store?.discard([id]) == [id])
    model.discard(id)
    return "discard \(id)"
  }

  private mutating func forget() throws -> String {
    let days: Int64 = [0, 1, 10, 40, 95].randomElement(using: &random) ?? 0
    now += days * 24 * Self.hour
    let configured = Bool.random(using: &random) || !engine.hasOneNode ? Self.handlers : ["log"]
    var step: PruneStep? = .first
    while let next = step { step = try store?.prune(next, at: time(now), handlers: configured) }
    model.forget(at: now, configured: Set(configured))
    return "forget \(days) days later with \(configured)"
  }

  /// What the disk holds while the store is open is what a kill leaves.
  private mutating func kill() throws -> String {
    guard case .folder(let folder) = place else { return try restart() }
    let next = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: next.data, withIntermediateDirectories: false)
    for file in ["/revoked.sqlite", "/revoked.sqlite-wal"] {
      try FileManager.default.copyItem(atPath: folder.data + file, toPath: next.data + file)
    }
    close()
    place = .folder(next)
    try open()
    return "kill"
  }

  private mutating func restart() throws -> String {
    try stop()
    try open()
    return "restart"
  }

  private mutating func stop() throws {
    reader?.roundEnded()
    for lease in leases.values { try store?.release(lease) }
    try store?.close()
    close()
  }

  private mutating func open() throws {
    // So that runs are written and merged, level upon level, all the time.
    let store: any Store
    if case .folder(let folder) = place {
      store = try RevocationStore(
        data: folder.data, mode: .serve, retention: .milliseconds(StoreModel.retention),
        keyIndex: KeyIndexLimits(recent: 5, fanout: 2))
    } else {
      store = try place.open(retention: .milliseconds(StoreModel.retention))
    }
    self.store = store
    reader = store.makeLookUps().awaited
    for name in Self.handlers { leases[name] = try store.lead(name, at: time(now)) }
  }

  private mutating func close() {
    reader = nil
    store = nil
  }

  private mutating func handler() -> String { Bool.random(using: &random) ? "log" : "forward" }
}
