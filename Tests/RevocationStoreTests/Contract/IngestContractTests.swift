import DynamicEvents
import Storage
import Testing

/// What every engine keeps of what it appends and answers.
@Suite(.timeLimit(.minutes(5))) struct IngestContractTests {
  private let places = StorePlaces()

  @Test(arguments: Engine.allCases)
  func `an event is stored once, also within a batch, and its session is refused from then on`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    #expect(try !store.refuses(1))
    #expect(try store.append([.revoking(1), .revoking(2), .revoking(1)]) == [.accepted, .accepted, .duplicate])
    #expect(try store.append([.revoking(2), .other(3)]) == [.duplicate, .accepted])
    #expect(try store.refuses(1) && store.refuses(2) && !store.refuses(3))
    let tally = try store.tally()
    #expect((tally.events, tally.revocations, tally.undecodable) == (3, 2, 0))
    #expect(engine.countsEachNumber ? tally.lastEvent == 3 : tally.lastEvent >= 3)
    #expect(tally.lastReceivedAt == time(2000))
    #expect(try store.append([]) == [])
    try store.probeWritable()
  }

  @Test(arguments: Engine.allCases)
  func `a look-up says when, by whom and by which event, and a later event changes nothing of it`(
    _ engine: Engine
  ) throws {
    let store = try places.place(engine).open()
    _ = try store.append([.revoking(1, event: 4, by: .admin, revokedAt: 1000)])
    _ = try store.append([.revoking(1, event: 5, by: .user, revokedAt: 9000)])
    let expected = Revocation(
      session: try session(1), revokedAt: time(1000), by: .admin, eventID: IncomingEvent.eventID(4))
    #expect(try store.lookUp(1) == expected)
    #expect(try store.lookUp(2) == nil)
    #expect(try store.revocations(ofEach: [session(2), session(1), session(1)]) == [nil, expected, expected])
    #expect(try store.event(revoking: session(1)) == 1)
    #expect(try store.event(revoking: session(2)) == nil)
  }

  @Test(arguments: Engine.allCases)
  func `two events that share an id and name different sessions refuse both`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    #expect(try store.append([.revoking(1, event: 9), .revoking(2, event: 9)]) == [.accepted, .duplicate])
    #expect(try store.append([.revoking(3, event: 9)]) == [.duplicate])
    #expect(try store.refuses(1) && store.refuses(2) && store.refuses(3))
  }

  @Test(arguments: Engine.allCases)
  func `what was committed is there after the store is closed and opened again`(_ engine: Engine) throws {
    let place = try places.place(engine)
    let first = try place.open()
    #expect(first.isNew)
    _ = try first.append([.revoking(1), .undecodable(2)])
    let createdAt = first.createdAt
    try first.close()
    #expect(throws: StoreError.self) { try first.append([.revoking(3)]) }
    let second = try place.open()
    #expect(try !second.isNew && second.refuses(1) && !second.refuses(3))
    #expect(try second.createdAt == createdAt && second.tally().undecodable == 1)
  }

  @Test(arguments: Engine.allCases)
  func `many sessions are asked about as of one moment, in the order asked`(_ engine: Engine) throws {
    let store = try places.place(engine).open()
    _ = try store.append((1...300).map { try .revoking($0 * 2) })
    let asked = try (1...1000).map { try session(UInt64($0)) }
    let lookUps = store.makeLookUps().awaited
    defer { lookUps.roundEnded() }
    #expect(try answered { try lookUps.revoked(of: asked) } == (1...300).map { try session($0 * 2) })
    #expect(try lookUps.revoked(of: []) == [])
  }

  @Test(arguments: Engine.allCases)
  func `a cut-off refuses the tokens that were issued before it, for good, and the later of two counts`(
    _ engine: Engine
  ) throws {
    let place = try places.place(engine)
    let store = try place.open()
    let user = UUIDBytes(high: 7, low: 8)
    let now = time(5_000_000)
    func token(issuedAt second: Int64) throws -> TokenClaims {
      TokenClaims(sid: try session(50), user: user, issuedAt: NumericDate(milliseconds: second * 1000))
    }
    func standings(_ store: any Store) throws -> [TokenStanding] {
      let lookUps = store.makeLookUps().awaited
      defer { lookUps.roundEnded() }
      let tokens = try [token(issuedAt: 999), token(issuedAt: 1001), token(issuedAt: 2001)]
      return try answered { try lookUps.standings(of: tokens, at: now) }
    }
    #expect(try standings(store) == [.good, .good, .good])
    #expect(try store.append([OperatorOrder.cutOff(.user, user).event(at: time(1_000_000))]) == [.accepted])
    #expect(try standings(store) == [.cutOff, .good, .good])
    #expect(try store.append([OperatorOrder.cutOff(.user, user).event(at: time(2_000_000))]) == [.accepted])
    #expect(try store.append([OperatorOrder.cutOff(.user, user).event(at: time(1_500_000))]) == [.accepted])
    #expect(try standings(store) == [.cutOff, .cutOff, .good])
    try store.close()
    #expect(try standings(place.open()) == [.cutOff, .cutOff, .good])
  }

  @Test(arguments: Engine.allCases)
  func `a session goes with its retention and not before, and its event much later`(_ engine: Engine) throws {
    let store = try places.place(engine).open(retention: .seconds(30 * 86_400))
    let day: Int64 = 86_400_000
    let then = 20_000 * day
    _ = try store.append([
      .revoking(1, revokedAt: then, createdAt: then, receivedAt: then),
      .revoking(2, revokedAt: then, createdAt: then - 29 * day, receivedAt: then), .other(3, receivedAt: then),
    ])
    // A clock is believed up to a day behind the last delivery.
    for days in [Int64(3), 31, 93] {
      _ = try store.append([.other(UInt64(1000 + days), receivedAt: then + days * day)])
      try store.forgetAll(at: time(then + days * day))
      #expect(try store.refuses(1) == (days < 31))
      #expect(try store.refuses(2) == (days < 3))
      #expect(try store.known([EventKey(bytes: sixteenBytes(1))].compactMap(\.self)).isEmpty == (days == 93))
    }
    #expect(try store.tally().revocations == 0)
  }
}
