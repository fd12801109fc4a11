import DynamicEvents
import SQLite
import Storage
import TestSupport
import Testing

@testable import RevocationStore

private let hour: Int64 = 3_600_000
private let day = 24 * hour
/// When everything is received: noon of some day.
private let noon = 20_000 * day + 12 * hour

@Suite(.timeLimit(.minutes(2))) struct PruningTests {
  let folder: TemporaryFolder
  let store: RevocationStore

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve, retention: .seconds(30 * 86_400))
  }

  @Test(
    arguments: [
      // Since its creation, or since the next best time.
      (0, nil, nil, 30 * day + hour), (-10 * day, -day, -day, 20 * day + hour), (nil, -day, -2 * day, 29 * day + hour),
      (nil, nil, -2 * day, 28 * day + hour), (nil, nil, nil, 30 * day + hour),
      // Never within a day of the answer, and at the end of a day.
      (-54 * day, -53 * day, -53 * day, 36 * hour), (-29 * day, nil, nil, 36 * hour),
      // Never longer than if it had been made when the event came.
      (5 * day, nil, nil, 30 * day + hour), (3_000_000 * day, nil, nil, 30 * day + hour),
      (nil, 3 * day, nil, 30 * day + hour),
      // A session that was made so long before its revocation had ended: the time is wrong, and counts as missing.
      (-40 * day, -5 * day, -5 * day, 25 * day + hour), (-31 * day, nil, nil, 30 * day + hour),
      (-700 * day, nil, nil, 30 * day + hour), (-noon, -day, nil, 29 * day + hour),
      (-738_000 * day, nil, nil, 30 * day + hour),
      // Dynamic does not deliver so late.
      (nil, -200 * day, nil, 30 * day + hour), (-201 * day, -200 * day, -200 * day, 30 * day + hour),
    ] as [(Int64?, Int64?, Int64?, Int64)])
  func `a session is forgotten at its expiry and not a millisecond sooner`(
    createdAt: Int64?, revokedAt: Int64?, occurredAt: Int64?, expiry: Int64
  ) throws {
    _ = try store.append([
      .revoking(
        1, revokedAt: revokedAt.map { noon + $0 }, createdAt: createdAt.map { noon + $0 },
        occurredAt: occurredAt.map { noon + $0 }, receivedAt: noon)
    ])
    let rememberedFrom = try store.read { try $0.number("SELECT remember_from FROM revocation") }
    #expect(
      try store.retention.expiresAt(rememberedFrom: time(#require(rememberedFrom)), at: time(noon))
        == time(noon + expiry))
    try prune(at: noon + expiry)
    #expect(try store.revocation(of: session(1)) != nil)
    #expect(try store.tally().revocations == 1)
    try prune(at: noon + expiry + 1)
    #expect(try store.revocation(of: session(1)) == nil)
    #expect(try store.tally().revocations == 0)
  }

  @Test func `retention moves the expiry of what is stored already`() throws {
    _ = try store.append([.revoking(1, createdAt: noon, receivedAt: noon)])
    try store.close()
    let patient = try RevocationStore(data: folder.data, mode: .serve, retention: .seconds(40 * 86_400))
    try prune(patient, at: noon + 40 * day + hour)
    #expect(try patient.revocation(of: session(1)) != nil)
    try prune(patient, at: noon + 40 * day + hour + 1)
    #expect(try patient.revocation(of: session(1)) == nil)
  }

  @Test func `a shorter retention counts a day after the start that brings it, in the feed as well`() throws {
    _ = try store.append([.revoking(1, createdAt: noon - 5 * day, receivedAt: noon)])
    try store.close()
    // Shorter twice, and the same again, which begins no other day.
    for (retention, hours, until) in [(20 * 86_400, 1, 25), (3600, 2, 26), (3600, 3, 26)] as [(Int64, Int64, Int64)] {
      let store = try RevocationStore(
        data: folder.data, mode: .serve, retention: .seconds(retention), now: time(noon + hours * hour))
      let end = noon + until * hour - 1
      try prune(store, at: end)
      #expect(try store.revocation(of: session(1)) != nil)
      let told = try store.feed(after: 0, limit: 9, at: time(end)).entries
      #expect(told.map(\.expiresAt) == [time(noon + 25 * day + hour)])
      try store.close()
    }
    let last = try RevocationStore(
      data: folder.data, mode: .serve, retention: .seconds(3600), now: time(noon + 4 * hour))
    // By which the store knows that it is so late.
    _ = try last.append([.revoking(2, createdAt: noon + day, receivedAt: noon + 26 * hour)])
    #expect(try last.feed(after: 0, limit: 9, at: time(noon + 26 * hour)).entries.compactMap(\.session) == [session(2)])
    try prune(last, at: noon + 26 * hour)
    #expect(try last.revocation(of: session(1)) == nil)
  }

  @Test(arguments: [Duration.zero, .seconds(-5), .seconds(Int64.max)])
  func `whatever the retention, a session that was just answered 200 is refused`(retention: Duration) throws {
    try store.close()
    // Long enough ago to count.
    let store = try RevocationStore(data: folder.data, mode: .serve, retention: retention, now: time(noon - 2 * day))
    _ = try store.append([.revoking(1, createdAt: -62_167_219_200_000, receivedAt: noon)])
    try prune(store, at: noon + day)
    #expect(try store.revocation(of: session(1)) != nil)
  }

  @Test func `a redelivery after everything was forgotten is a duplicate, and its session is refused again`() throws {
    _ = try store.append([.revoking(1, createdAt: noon, receivedAt: noon)])
    try prune(at: noon + 40 * day)
    #expect(try store.revocation(of: session(1)) == nil)
    #expect(
      try store.append([.revoking(1, revokedAt: noon, createdAt: noon, receivedAt: noon + 89 * day)]) == [.duplicate])
    #expect(try store.revocation(of: session(1)) != nil)
    try prune(at: noon + 90 * day)
    #expect(try store.revocation(of: session(1)) != nil)
    #expect(try feed() == [2])
    try prune(at: noon + 91 * day)
    #expect(try store.revocation(of: session(1)) == nil)
  }

  @Test func `a longer expiry goes to the end of the feed, and nothing else moves`() throws {
    _ = try store.append([
      .revoking(1, createdAt: noon - 2 * day, receivedAt: noon),
      .revoking(2, createdAt: noon - 2 * day, receivedAt: noon),
    ])
    // The same again, and a shorter one.
    _ = try store.append([.revoking(1, event: 11, createdAt: noon - 3 * day, receivedAt: noon)])
    #expect(try feed() == [1, 2])
    _ = try store.append([.revoking(1, event: 12, createdAt: noon - day, receivedAt: noon)])
    #expect(try feed() == [2, 3])
    #expect(try store.tally().lastRevocation == 3)
    #expect(try store.tally().revocations == 2)
    _ = try store.append([.revoking(3, createdAt: noon, receivedAt: noon)])
    #expect(try feed() == [2, 3, 4])
    #expect(try store.revocation(of: session(1))?.eventID == "event-1")
  }

  @Test func `a delivery that is repeated all day long changes the feed once`() throws {
    for minute in 0..<600 {
      let receivedAt = noon + Int64(minute) * 60_000
      _ = try store.append([
        .revoking(1, revokedAt: noon - 58 * day, createdAt: noon - 60 * day, receivedAt: receivedAt)
      ])
    }
    #expect(try feed() == [1])
    _ = try store.append([.revoking(1, revokedAt: noon - 58 * day, createdAt: noon - 60 * day, receivedAt: noon + day)])
    #expect(try feed() == [2])
  }

  @Test func `a session that is remembered for longer meanwhile is not deleted by its old number`() throws {
    _ = try store.append([.revoking(1, createdAt: noon, receivedAt: noon)])
    _ = try store.append([.revoking(1, event: 2, createdAt: noon + 20 * day, receivedAt: noon + 20 * day)])
    try prune(at: noon + 31 * day)
    #expect(try store.revocation(of: session(1)) != nil)
  }

  @Test func `numbers are not given out again after everything is gone`() throws {
    _ = try store.append([.revoking(1, receivedAt: noon), .revoking(2, receivedAt: noon)])
    try prune(at: noon + 200 * day)
    #expect(try store.tally().events == 0)
    #expect(try store.tally().revocations == 0)
    _ = try store.append([.revoking(3, receivedAt: noon + 200 * day)])
    #expect(try feed() == [3])
    #expect(try store.events(after: 0, limit: 9).events.map(\.seq) == [3])
  }

  @Test func `an event is known for 90 days whatever the retention, and then forgotten`() throws {
    try store.close()
    let store = try RevocationStore(data: folder.data, mode: .serve, retention: .seconds(1))
    _ = try store.append([.other(1, receivedAt: noon), .other(2, receivedAt: noon + 5 * day)])
    try prune(store, at: noon + 92 * day)
    #expect(try store.append([.other(1, receivedAt: noon + 91 * day)]) == [.duplicate])
    try prune(store, at: noon + 92 * day + 1)
    #expect(try store.events(after: 0, limit: 9).events.map(\.seq) == [2])
    #expect(try store.tally().events == 1)
    #expect(try store.append([.other(1, receivedAt: noon + 93 * day)]) == [.accepted])
  }

  @Test func `what a configured handler has not attempted is kept, and what one that is gone has not is not`() throws {
    let log = try store.handlerPosition(registering: "log", at: time(noon))
    _ = try store.handlerPosition(registering: "gone", at: time(noon))
    _ = try store.append([.other(1, receivedAt: noon), .other(2, receivedAt: noon)])
    try store.record([], handler: log.id, advancingTo: 1)
    try prune(at: noon + 100 * day, handlers: ["log"])
    #expect(try kept() == [2])
    try store.record([], handler: log.id, advancingTo: 2)
    try prune(at: noon + 100 * day, handlers: ["log"])
    #expect(try kept() == [])
  }

  @Test func `a retry of a configured handler and any dead letter keep their event`() throws {
    let log = try store.handlerPosition(registering: "log", at: time(noon)).id
    let gone = try store.handlerPosition(registering: "gone", at: time(noon)).id
    _ = try store.append(try (1...5).map { try .other($0, receivedAt: noon) } + [.undecodable(6)])
    let later = time(noon + 200 * day)
    try store.record(
      [
        Attempt(event: 1, number: 1, at: time(noon), outcome: .failed(error: "e", retryAt: later)),
        Attempt(event: 2, number: 1, at: time(noon), outcome: .dead(error: "e")),
      ], handler: log, advancingTo: 6)
    try store.record(
      [
        Attempt(event: 3, number: 1, at: time(noon), outcome: .failed(error: "e", retryAt: later)),
        Attempt(event: 4, number: 1, at: time(noon), outcome: .dead(error: "e")),
      ], handler: gone, advancingTo: 6)
    try prune(at: noon + 100 * day, handlers: ["log"])
    #expect(try kept() == [1, 2, 4, 6])
    #expect(try store.tally().events == 4)
    #expect(try store.read { try $0.numbers("SELECT event_seq FROM delivery ORDER BY 1") } == [1, 2, 4])

    try store.record([Attempt(event: 1, number: 1, at: later, outcome: .delivered)], handler: log)
    try prune(at: noon + 200 * day, handlers: ["log"])
    #expect(try kept() == [2, 4, 6])
  }

  @Test func `an event from a clock that was ahead does not keep those behind it`() throws {
    _ = try store.append([.other(1, receivedAt: noon + 9000 * day), .other(2, receivedAt: noon)])
    try prune(at: noon + 100 * day)
    #expect(try kept() == [1])
  }

  @Test func `a pass goes through more than a step's rows, and deletes a bounded number each step`() throws {
    let numbers = UInt64(1)...3000
    _ = try store.append(
      numbers.map { try .revoking($0, createdAt: noon, receivedAt: $0 > 2000 ? noon + 80 * day : noon) })
    var step: PruneStep? = .first
    while let next = step {
      let before = try store.tally()
      step = try store.prune(next, at: time(noon + 100 * day), handlers: [])
      let after = try store.tally()
      #expect(before.revocations - after.revocations + before.events - after.events <= PruneStep.deletes)
    }
    #expect(try store.tally().revocations == 1000)
    #expect(try store.tally().events == 1000)
    let left = try store.revocations(of: numbers.map { try session($0) })
    #expect(try left.map(\.session) == (2001...3000).map { try session($0) })
  }

  @Test func `a time that cannot be is far in the past or in the future, and no trap`() throws {
    _ = try store.append([.other(1, receivedAt: noon), .other(2, receivedAt: noon), .other(3, receivedAt: noon)])
    try store.write {
      try $0.execute("UPDATE event SET received_at = -9223372036854775808 WHERE seq = 1")
      try $0.execute("UPDATE event SET received_at = 9223372036854775807 WHERE seq = 2")
    }
    try prune(at: noon + day)
    #expect(try kept() == [2, 3])
  }

  /// Where a step begins and ends: at numbers that are there or not, with as many expired as it deletes at most, or
  /// none.
  private static let numbers: [[Int64]] = [
    Array(4090...4103) + Array(8186...8200), Array(1...128) + [4096, 4097], Array(1...127) + [4096, 4097, 8192, 8193],
    [1] + Array(3970...4097), [5, 1 << 20, 1 << 40, 1 << 62], Array(1...300) + Array(9000...9300),
    [.max - 8193, .max - 4097, .max - 4096, .max - 4095, .max - 1, .max],
  ]

  @Test(arguments: numbers, [1, 2, 3])
  func `a pass finds all that is expired and nothing else, wherever the numbers are`(
    numbers: [Int64], young: Int
  ) throws {
    let isYoung = numbers.indices.map { young > 1 && $0 % young == 1 }
    try store.write { db in
      for (number, isYoung) in zip(numbers, isYoung) {
        try db.run(
          "INSERT INTO revocation VALUES (?, randomblob(16), 0, 'user', ?, 1, NULL)", number,
          isYoung ? noon : noon - 31 * day)
      }
      try db.run("UPDATE tally SET revocations = ?", numbers.count)
    }
    var steps = 0
    var step: PruneStep? = .first
    while case .revocations? = step, let next = step {
      steps += 1
      step = try store.prune(next, at: time(noon), handlers: [])
      // However far apart the numbers are.
      try #require(steps <= 8)
    }
    let left = zip(numbers, isYoung).filter(\.1).map(\.0)
    #expect(try feed() == left)
    #expect(try store.tally().revocations == left.count)
  }

  @Test func `a pass over what is young writes nothing`() throws {
    _ = try store.append([.revoking(1, createdAt: noon, receivedAt: noon)])
    let before = try store.write { try $0.number("SELECT total_changes()") }
    try prune(at: noon + day)
    #expect(try store.write { try $0.number("SELECT total_changes()") } == before)
  }

  @Test func `the pruner works through a pass by itself`() async throws {
    _ = try store.append((UInt64(1)...300).map { try .revoking($0, createdAt: noon, receivedAt: noon) })
    _ = try store.append([.revoking(301, createdAt: noon + 100 * day, receivedAt: noon + 100 * day)])
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    let pruner = Pruner(
      store: store,
      handlers: { [store] in
        // Asked before each step: the last of the pass finds one row less than a whole step's.
        if (try? store.tally().events) ?? 0 < PruneStep.deletes { end.finish() }
        return []
      }, now: { time(noon + 100 * day) }, failed: { Issue.record($0) })
    pruner.start()
    for await _ in ended {}
    #expect(try store.tally().revocations == 1)
    pruner.stop()
  }

  @Test func `a clock that is far ahead of the last delivery forgets nothing`() async throws {
    _ = try store.append([.revoking(1, createdAt: noon, receivedAt: noon)])
    let (steps, step) = AsyncStream.makeStream(of: Void.self)
    let pruner = Pruner(
      store: store,
      handlers: {
        step.yield()
        return []
      }, now: { time(noon + 100 * day) }, failed: { Issue.record($0) })
    pruner.start()
    // Asked before each step: at the second one the sessions are done.
    var iterator = steps.makeAsyncIterator()
    for _ in 0..<2 { await iterator.next() }
    #expect(try store.tally().revocations == 1)
    pruner.stop()
  }

  private func prune(_ other: RevocationStore? = nil, at now: Int64, handlers: [String] = []) throws {
    var step: PruneStep? = .first
    while let next = step { step = try (other ?? store).prune(next, at: time(now), handlers: handlers) }
  }

  /// The numbers of the feed.
  private func feed() throws -> [Int64] {
    try store.read { try $0.numbers("SELECT seq FROM revocation ORDER BY seq") }
  }

  private func kept() throws -> [Int64] {
    try store.read { try $0.numbers("SELECT seq FROM event ORDER BY seq") }
  }
}
