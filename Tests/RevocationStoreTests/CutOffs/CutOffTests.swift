import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite("Cut-offs in the store", .timeLimit(.minutes(5)))
struct CutOffTests {
  let folder: TemporaryFolder
  let user = UUIDBytes(high: 1, low: 2)
  let environment = UUIDBytes(high: 3, low: 4)
  let now = time(2_000_000_000_000)

  init() throws {
    folder = try TemporaryFolder()
  }

  func open(_ mode: StoreMode = .serve) throws -> RevocationStore {
    try RevocationStore(data: folder.data, mode: mode)
  }

  func claims(_ number: UInt64 = 1, issuedAt: Int64? = nil, user: UUIDBytes? = nil) throws -> TokenClaims {
    TokenClaims(
      sid: try session(number), user: user ?? self.user, environment: environment,
      issuedAt: issuedAt.map(NumericDate.init(milliseconds:)))
  }

  func order(_ kind: CutOff.Kind, _ id: UUIDBytes, at milliseconds: Int64? = nil) throws -> IncomingEvent {
    try OperatorOrder.cutOff(kind, id).event(at: milliseconds.map(time) ?? now)
  }

  @Test func `a token is cut off from the commit on, beside its session's own revocation`() throws {
    let store = try open()
    let reader = LookUpReader(store)
    let old = try claims(issuedAt: now.milliseconds - 5000)
    #expect(try reader.standing(of: [old], at: now) == .good)
    #expect(try store.append([order(.user, user)]) == [.accepted])
    // In the same round.
    #expect(try reader.standing(of: [old], at: now) == .cutOff)
    let others = [
      try claims(issuedAt: now.milliseconds + 1000), try claims(issuedAt: now.milliseconds - 5000, user: environment),
      TokenClaims(sid: try session(1)),
    ]
    #expect(try reader.standings(of: others + [old, claims()], at: now) == [.good, .good, .good, .cutOff, .cutOff])
    // What is presented together is refused together, and a revocation goes first.
    #expect(try reader.standing(of: others + [old], at: now) == .cutOff)
    _ = try store.append([.revoking(1)])
    #expect(try reader.standing(of: [old], at: now) == .revoked)
    var refreshed = try claims(2, issuedAt: now.milliseconds + 1000)
    refreshed.originalSid = try session(1)
    #expect(try reader.standings(of: [refreshed], at: now) == [.revoked])
  }

  @Test func `another process's cut-off is met by the next round, and by every one after a restart`() throws {
    let old = try claims(issuedAt: now.milliseconds - 5000)
    do {
      let store = try open()
      let reader = LookUpReader(store)
      #expect(try reader.standing(of: [old], at: now) == .good)
      let command = try open(.amend)
      // Numbers of both processes in turn, so that neither takes the other's for its own.
      for (index, kind) in [CutOff.Kind.environment, .user, .environment].enumerated() {
        reader.roundEnded()
        let id = UUIDBytes(high: 9, low: UInt64(index))
        _ = try command.append([order(kind, id)])
        _ = try store.append([.revoking(UInt64(index + 10))])
        let token = TokenClaims(
          sid: try session(1), user: id, environment: id, issuedAt: NumericDate(milliseconds: now.milliseconds))
        #expect(try reader.standing(of: [token], at: now) == .cutOff)
      }
      _ = try command.append([order(.environment, environment)])
      reader.roundEnded()
      #expect(try reader.standing(of: [old], at: now) == .cutOff)
      reader.roundEnded()
      try command.close()
      try store.close()
    }
    let store = try open()
    #expect(store.cutOffs.count == 4)
    #expect(try LookUpReader(store).standing(of: [old], at: now) == .cutOff)
  }

  @Test func `a later order moves a cut-off, an earlier or repeated one does not`() throws {
    let store = try open()
    let base = now.milliseconds
    #expect(try store.append([order(.user, user), order(.user, user)]) == [.accepted, .duplicate])
    #expect(try store.append([order(.user, user, at: base - 60_000)]) == [.accepted])
    #expect(try rows(store) == ["user \(user.uuidText) \(base) 1"])
    #expect(try store.append([order(.user, user, at: base + 60_000)]) == [.accepted])
    #expect(try rows(store) == ["user \(user.uuidText) \(base + 60_000) 2"])
    let later = try claims(issuedAt: base + 30_000)
    #expect(try LookUpReader(store).standing(of: [later], at: time(base + 90_000)) == .cutOff)
    #expect(try store.tally().lastRevocation == 2)
  }

  @Test func `an order that the store cannot keep cuts nobody off`() throws {
    let store = try open()
    let reader = LookUpReader(store)
    try store.write {
      try $0.execute("CREATE TRIGGER no BEFORE INSERT ON cutoff BEGIN SELECT RAISE(ABORT, 'no'); END")
    }
    #expect(throws: StoreError.self) { try store.append([order(.user, user)]) }
    #expect(try reader.standing(of: [claims(issuedAt: 0)], at: now) == .good)
    #expect(try store.tally().events == 0)
  }

  @Test func `the feed has cut-offs in their turn, and once more when they move`() throws {
    let store = try open()
    let base = now.milliseconds
    _ = try store.append([
      .revoking(1, createdAt: base, receivedAt: base), order(.user, user),
      .revoking(2, createdAt: base, receivedAt: base), order(.environment, environment),
    ])
    _ = try store.append([order(.user, user, at: base + 1000)])
    let page = try store.feed(after: 0, limit: 9, at: now)
    #expect(page.entries.map(\.cursor.seq) == [1, 3, 4, 5])
    #expect(page.entries.compactMap(\.session) == [try session(1), try session(2)])
    #expect(
      page.entries.compactMap(\.cutOff) == [
        CutOff(.environment, environment, before: now), CutOff(.user, user, before: time(base + 1000)),
      ])
    let hour: Int64 = 3_600_000
    #expect(page.entries.last?.expiresAt == time(base + 1000 + 30 * 24 * hour + hour))
    #expect(try store.feed(after: 3, limit: 1, at: now).entries.map(\.cursor.seq) == [4])
    // The clock is believed once an event came at that time.
    let late = base + 31 * 24 * hour
    _ = try store.append([.revoking(3, createdAt: late, receivedAt: late)])
    #expect(try store.feed(after: 0, limit: 9, at: time(late)).entries.map(\.session) == [session(3)])
  }

  @Test func `a cut-off is forgotten, in memory too, when no token from before can live`() throws {
    let store = try open()
    let day: Int64 = 86_400_000
    _ = try store.append([order(.user, user), order(.environment, environment, at: now.milliseconds + 5 * day)])
    func prune(at now: Timestamp) throws {
      var step: PruneStep? = .first
      while let next = step { step = try store.prune(next, at: now, handlers: []) }
    }
    try prune(at: time(now.milliseconds + 30 * day))
    #expect(store.cutOffs.count == 2)
    try prune(at: time(now.milliseconds + 31 * day))
    #expect(store.cutOffs.count == 1)
    #expect(try rows(store).count == 1)
    try prune(at: time(now.milliseconds + 40 * day))
    #expect(store.cutOffs.count == 0)
    #expect(try !LookUpReader(store).standings(of: [claims()], at: now).contains(.cutOff))
  }

  @Test func `an order is an event for handlers, and no sign of life of Dynamic's`() throws {
    let store = try open()
    _ = try store.append([order(.user, user), OperatorOrder.revoke(session(7)).event(at: now)])
    #expect(try store.tally().lastReceivedAt == nil)
    #expect(try store.revocation(of: session(7))?.by == .operator)
    #expect(
      try store.append([OperatorOrder.revoke(session(7)).event(at: time(now.milliseconds + 5))]) == [.duplicate])
    let bodies = try store.read { try $0.texts("SELECT CAST(body AS TEXT) FROM event ORDER BY seq") }
    let cutOff = try Event(body: Array(bodies[0].utf8))
    #expect(cutOff.envelope.eventName == "operator.cutoff" && cutOff.payload == .unknown)
    #expect(
      bodies[0].contains(#""data":{"userId":"\#(user.uuidText)","before":"2033-05-18T03:33:20.000Z"}"#), "\(bodies)")
    guard case .sessionRevoked(let revoked, by: .operator) = try Event(body: Array(bodies[1].utf8)).payload else {
      Issue.record("\(bodies[1])")
      return
    }
    #expect(revoked.id == (try session(7)))
  }

  private func rows(_ store: RevocationStore) throws -> [String] {
    try store.read {
      try $0.texts("SELECT kind || ' ' || id || ' ' || before || ' ' || seq FROM cutoff ORDER BY seq")
    }
  }
}
