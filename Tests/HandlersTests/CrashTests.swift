import DynamicEvents
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Handlers
@testable import RevocationStore

/// A process that ended is a dispatcher that is left alone with attempts that hang: the next one finds what it wrote.
@Suite(.timeLimit(.minutes(2))) struct CrashTests {
  private let bench: Bench
  private let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  init() throws {
    bench = try Bench()
  }

  private func start(_ handlers: HandlerRegistration...) throws -> Dispatcher {
    let dispatcher = try Dispatcher(
      store: bench.store, handlers: handlers, logger: LogCollector().logger, attemptFile: bench.attemptFile,
      clock: bench.clock.lanes)
    dispatcher.start()
    dispatcher.wake()
    return dispatcher
  }

  /// Returns when it is so. The clock ends sleeps of up to five seconds: pauses between transactions and before
  /// handlers begin, and no suspect's wait.
  private func settle(until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      bench.clock.endSleeps(upTo: .seconds(5))
      await Task.yield()
    }
  }

  /// A handler that never ends with this event.
  private func hanging(on id: String) -> ScriptedHandler {
    ScriptedHandler { called, _ in if called == id { await Gate().wait() } }
  }

  @Test func `what had begun when the process ended comes behind all else, and alone`() async throws {
    let killed = hanging(on: "2")
    let dispatcher = try start(HandlerRegistration("h", timeout: .seconds(3600), concurrency: 2, handler: killed))
    defer { withExtendedLifetime(dispatcher) {} }
    try bench.store(many: 3)
    dispatcher.wake()
    #expect(await Set(killed.next(3)) == ["1", "2", "3"])
    // Both that ended are no suspects; the one behind the other comes again, as its end was not recorded.
    try await bench.settle {
      try dispatcher.counters[0].delivered.load(ordering: .relaxed) == 2
        && bench.store.backlogs()["h"] == Backlog(pending: 2, dead: 0)
    }
    try bench.store((4...200).map(String.init), name: "user.session.revoked")

    let running = Mutex((now: 0, mostBeside: 0))
    let gate = Gate()
    let after = ScriptedHandler { id, _ in
      running.withLock {
        $0.now += 1
        if id == "2" { $0.mostBeside = max($0.mostBeside, $0.now) }
      }
      if id == "2" { await gate.wait() }
      running.withLock { $0.now -= 1 }
    }
    let second = try start(HandlerRegistration("h", timeout: .seconds(3600), concurrency: 4, handler: after))
    #expect(after.callCount == 0, "handlers begin a second later")
    try await settle { after.callCount >= 199 }
    let ids = await after.next(199)
    #expect(ids.last == "2")
    #expect(ids.count == Set(ids).count)
    // What comes meanwhile waits for it.
    try bench.store("201")
    second.wake()
    try await settle { try bench.store.backlogs()["h"] == Backlog(pending: 2, dead: 0) }
    #expect(after.callCount == 199)
    gate.open()
    #expect(await after.next(1) == ["201"])
    try await settle { try bench.isIdle("h") }
    #expect(running.withLock { $0.mostBeside } == 1)
    await second.stop()
  }

  @Test func `after three ends it is a dead letter that says so, and is attempted no more`() async throws {
    let killed = hanging(on: "1")
    var dispatchers: [Dispatcher] = []
    for life in 1...3 {
      dispatchers.append(try start(HandlerRegistration("h", timeout: .seconds(36_000), handler: killed)))
      #expect(dispatchers.last?.uncleanStarts == life - 1)
      if life == 1 { try bench.store("1", "2") }
      dispatchers.last?.wake()
      try await settle { killed.callCount == life + (life > 1 ? 1 : 0) }
    }
    let last = ScriptedHandler()
    let final = try start(HandlerRegistration("h", handler: last))
    try await settle { try bench.isIdle("h", dead: 1) }
    #expect(last.callCount == 0)
    #expect(final.uncleanStarts == 3)
    let letters = try bench.store.deadLetters(DeadLetterFilter(), after: nil, limit: 10)
    #expect(letters.map(\.error) == ["the process ended 3 times while this was attempted"])
    // Put back, it is as new.
    _ = try bench.store.replay(letters.map(\.id), at: bench.now)
    final.wake()
    #expect(await last.next(1) == ["1"])
    try await settle { try bench.isIdle("h") }
    await final.stop()
    #expect(AttemptFileHeader.read(bench.attemptFile)?.run == .stopped)
  }

  @Test func `two handlers' attempts are made again one after the other`() async throws {
    let killed = ScriptedHandler { _, _ in await Gate().wait() }
    let first = try start(
      HandlerRegistration("a", timeout: .seconds(3600), handler: killed),
      HandlerRegistration("b", timeout: .seconds(3600), handler: killed))
    try bench.store("1")
    first.wake()
    _ = await killed.next(2)
    let gates = Gates()
    let after = ScriptedHandler { _, _ in await gates.wait() }
    let second = try start(
      HandlerRegistration("a", timeout: .seconds(3600), handler: after),
      HandlerRegistration("b", timeout: .seconds(3600), handler: after))
    try await settle { gates.waiting == 1 }
    // Longer than a suspect waits for anything but another one.
    bench.clock.advance(by: .seconds(60))
    try await settle { bench.clock.earliestSleep.map { $0 > bench.clock.uptime + .seconds(5) } ?? true }
    await gates.openOne()
    try await settle { after.callCount == 2 && gates.waiting == 1 }
    await gates.openOne()
    try await settle { try bench.isIdle("a") && bench.isIdle("b") }
    #expect(gates.most == 1)
    await second.stop()
    withExtendedLifetime(first) {}
  }

  @Test func `a stop leaves no suspect, though an attempt does not listen to it`() async throws {
    let deaf = hanging(on: "1")
    let dispatcher = try start(HandlerRegistration("h", timeout: .seconds(3600), handler: deaf))
    try bench.store("1")
    dispatcher.wake()
    _ = await deaf.next(1)
    let stop = Task { await dispatcher.stop() }
    while AttemptFileHeader.read(bench.attemptFile)?.run != .stopped { await Task.yield() }
    let file = try AttemptFile(bench.attemptFile)
    #expect(!file.wasUnclean && file.uncleanStarts == 0 && file.pause == .zero)
    #expect(file.suspects(of: 1).isEmpty)
    withExtendedLifetime(stop) {}
  }

  @Test func `what a stop breaks off keeps the ends it has been at`() throws {
    let path = bench.attemptFile
    let first = try AttemptFile(path)
    first.start()
    _ = first.begin(7, receivedAt: bench.now, handler: 1)
    let second = try AttemptFile(path)
    second.start()
    let suspect = try #require(second.suspects(of: 1).first)
    #expect(suspect.event == 7 && suspect.receivedAt == bench.now && suspect.ends == 1)
    let mark = second.begin(suspect, handler: 1)
    #expect(second.suspects(of: 1).isEmpty)
    second.stop()
    mark.breakOff(handler: 1)
    #expect(second.suspects(of: 1) == [suspect])
    let third = try AttemptFile(path)
    #expect(third.suspects(of: 1) == [suspect] && third.uncleanStarts == 1)
    // Waiting, it is not at fault for another end.
    third.start()
    let fourth = try AttemptFile(path)
    #expect(fourth.suspects(of: 1) == [suspect] && fourth.uncleanStarts == 2)
    fourth.clear(suspect, handler: 1)
    #expect(try AttemptFile(path).suspects(of: 1).isEmpty)
  }

  @Test func `the pause doubles with each early end at which something ran, up to five minutes`() throws {
    let path = bench.attemptFile
    var pauses: [Duration] = []
    for life in 1...12 {
      let file = try AttemptFile(path)
      pauses.append(file.pause)
      file.start()
      _ = file.begin(Int64(life), receivedAt: bench.now, handler: 1)
    }
    #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map { .seconds($0) })
    // Killed before anything had begun: no longer, and no shorter.
    for _ in 1...2 {
      let idle = try AttemptFile(path)
      #expect(idle.pause == .seconds(300))
      idle.start()
    }
    let proven = try AttemptFile(path)
    proven.start()
    proven.prove()
    _ = proven.begin(1, receivedAt: bench.now, handler: 1)
    let last = try AttemptFile(path)
    #expect(last.pause == .zero && last.wasUnclean)
  }

  @Test func `a suspect that is done, or of another store, is no handler's`() async throws {
    try bench.store("1", "2")
    let before = try AttemptFile(bench.attemptFile)
    before.start()
    // The first is done, the second is not the event that was attempted, there is no third.
    let handler = try bench.store.handlerPosition(registering: "h", at: bench.now)
    for seq: Int64 in [1, 3] { _ = before.begin(seq, receivedAt: bench.now, handler: handler.id) }
    _ = before.begin(4, receivedAt: Timestamp(milliseconds: 1), handler: handler.id)
    try bench.store("3x")
    try bench.store("4x")
    let after = ScriptedHandler()
    let dispatcher = try start(HandlerRegistration("h", handler: after))
    try await settle { try bench.isIdle("h") }
    #expect(await Set(after.next(2)) == ["3x", "4x"])
    try await settle { try AttemptFileHeader.suspects(bench.attemptFile) == 0 }
    await dispatcher.stop()
    #expect(after.callCount == 2)
  }

  @Test(arguments: ["", "x", String(repeating: "\u{1}", count: 65_536), String(repeating: "\u{7F}", count: 65_536)])
  func `a file of anything else is none, and attempts go on when it is full`(content: String) throws {
    let path = try bench.folder.write(content, to: "attempts")
    let file = try AttemptFile(path)
    #expect(file.pause == .zero && !file.wasUnclean)
    file.start()
    let taken = (0..<2000).compactMap { file.begin($0, receivedAt: bench.now, handler: 1) }
    #expect(taken.count + file.suspects(of: 0x0101_0101_0101_0101).count == 1023)
    for mark in taken { mark.end() }
    #expect(file.begin(1, receivedAt: bench.now, handler: 1) != nil)
  }

  @Test func `a folder that is not there is said, and handlers work`() async throws {
    let log = LogCollector()
    let handler = ScriptedHandler()
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("h", handler: handler), attemptFile: bench.folder.path + "/none/attempts", logger: log.logger)
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    #expect(log.messages.first?.hasPrefix("attempts under way cannot be noted") == true)
    await dispatcher.stop()
  }
}

extension AttemptFileHeader {
  /// The file as it is, without being opened as at a start.
  fileprivate static func read(_ path: String) -> AttemptFileHeader? {
    (try? MappedSlots(path, count: 1024)).map { AttemptFileHeader($0[0]) }
  }

  fileprivate static func suspects(_ path: String) throws -> Int {
    let slots = try MappedSlots(path, count: 1024)
    return (1..<1024).count { slots[$0].phase != .free }
  }
}
