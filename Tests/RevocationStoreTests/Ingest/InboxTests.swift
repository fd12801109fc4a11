import Dispatch
import DynamicEvents
import Glibc
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct InboxTests {
  @Test func `what waits while the writer is busy goes into one transaction, each batch with its own answer`() throws {
    let store = GatedStore(isHeld: true)
    let commits = Mutex<[Int]>([])
    let inbox = Inbox(store) { commit in commits.withLock { $0.append(commit.events) } }
    let answers = Answers()
    #expect(answers.submit(try events(1), to: inbox, as: 0))
    store.waitUntilEntered()
    for number in 1...3 { #expect(answers.submit(try events(number), to: inbox, as: number)) }
    store.pass(2)
    let all = answers.wait()
    #expect(store.transactions == [1, 6])
    for number in 0...3 {
      #expect(all[number] == [.success(Array(repeating: .accepted, count: max(number, 1)))])
    }
    close(inbox)
    #expect(commits.withLock { $0 } == [1, 6])
  }

  @Test func `no batch waits for a transaction that it is not in`() throws {
    var limits = InboxLimits()
    limits.transaction = 4
    let store = GatedStore(isHeld: true)
    let inbox = Inbox(store, limits: limits)
    let answers = Answers()
    _ = answers.submit(try events(1), to: inbox, as: 0)
    store.waitUntilEntered()
    for (number, count) in [3, 2, 9, 1].enumerated() {
      _ = answers.submit(try events(count), to: inbox, as: number + 1)
    }
    store.pass()
    store.waitUntilEntered()
    #expect(answers.now.keys.sorted() == [0])
    store.pass()
    store.waitUntilEntered()
    #expect(answers.now.keys.sorted() == [0, 1])
    store.pass(9)
    #expect(answers.wait().keys.sorted() == [0, 1, 2, 3, 4])
    #expect(store.transactions == [1, 3, 2, 9, 1])
  }

  @Test func `once the bound in events is reached a batch is refused whole, and room comes back with the answers`()
    throws
  {
    var limits = InboxLimits()
    limits.events = 5
    let store = GatedStore(isHeld: true)
    let inbox = Inbox(store, limits: limits)
    let answers = Answers()
    #expect(answers.submit(try events(3), to: inbox, as: 0))
    store.waitUntilEntered()
    #expect(answers.submit(try events(4), to: inbox, as: 1))
    #expect(!answers.submit(try events(1), to: inbox, as: 2))
    store.pass(2)
    let all = answers.wait()
    #expect(all[1] == [.success(Array(repeating: .accepted, count: 4))])
    #expect(all[2] == nil)
    #expect(answers.submit(try events(5), to: inbox, as: 3))
    store.pass()
    #expect(answers.wait()[3]?.count == 1)
  }

  @Test func `once the bound in bytes is reached an event is refused`() throws {
    var limits = InboxLimits()
    limits.bytes = 100
    let store = GatedStore(isHeld: true)
    let inbox = Inbox(store, limits: limits)
    let answers = Answers()
    let sized = try [60, 40, 1].map { try IncomingEvent.other(UInt64($0), body: [UInt8](repeating: 0, count: $0)) }
    #expect(answers.submit(Array(sized[..<2]), to: inbox, as: 0))
    #expect(!answers.submit([sized[2]], to: inbox, as: 1))
    store.pass()
    _ = answers.wait()
    #expect(answers.submit([sized[2]], to: inbox, as: 2))
    store.pass()
    _ = answers.wait()
  }

  @Test func `a probe has its turn between the transactions of a busy writer`() throws {
    let store = GatedStore(isHeld: true)
    var limits = InboxLimits()
    limits.transaction = 1
    let inbox = Inbox(store, limits: limits)
    let answers = Answers()
    for number in 0..<3 { #expect(answers.submit(try events(1), to: inbox, as: number)) }
    store.waitUntilEntered()
    let probed = DispatchSemaphore(value: 0)
    inbox.probe { _ in probed.signal() }
    store.pass(2)
    probed.wait()
    #expect(answers.now.count < 3)
    store.pass()
    _ = answers.wait()
  }

  @Test func `a failed commit fails its batches alone, and wakes no one`() throws {
    let store = GatedStore(isHeld: true)
    let commits = Mutex(0)
    let inbox = Inbox(store) { _ in commits.withLock { $0 += 1 } }
    let answers = Answers()
    _ = answers.submit(try events(1), to: inbox, as: 0)
    store.waitUntilEntered()
    _ = answers.submit(try events(2), to: inbox, as: 1)
    _ = answers.submit(try events(2), to: inbox, as: 2)
    store.pass()
    store.waitUntilEntered()
    store.failNext(.full(path: "/d"))
    _ = answers.submit(try events(1), to: inbox, as: 3)
    store.pass(2)
    let all = answers.wait()
    #expect(all[0] == [.success([.accepted])])
    #expect(all[1] == [.failure(.full(path: "/d"))])
    #expect(all[2] == [.failure(.full(path: "/d"))])
    #expect(all[3] == [.success([.accepted])])
    close(inbox)
    #expect(commits.withLock { $0 } == 2)
  }

  @Test func `it tells how long its commits took, and not how long it waited for one`() throws {
    let store = GatedStore()
    let time = Mutex(ContinuousClock.now)
    // A second passes between any two looks.
    let now: @Sendable () -> ContinuousClock.Instant = {
      time.withLock { time in
        time += .seconds(1)
        return time
      }
    }
    let inbox = Inbox(store, now: now)
    let answers = Answers()
    #expect(inbox.busy == .zero)
    for number in 0..<3 {
      #expect(answers.submit(try events(2), to: inbox, as: number))
      _ = answers.wait()
    }
    close(inbox)
    #expect(inbox.busy == .seconds(3))
  }

  @Test func `closing finishes what waits and takes no more`() throws {
    let store = GatedStore(isHeld: true)
    let inbox = Inbox(store)
    let answers = Answers()
    _ = answers.submit(try events(1), to: inbox, as: 0)
    store.waitUntilEntered()
    _ = answers.submit(try events(2), to: inbox, as: 1)
    let closed = DispatchSemaphore(value: 0)
    let answeredBefore = Mutex(0)
    inbox.close {
      answeredBefore.withLock { $0 = answers.now.count }
      closed.signal()
    }
    #expect(!answers.submit(try events(1), to: inbox, as: 2))
    #expect(closed.wait(timeout: .now()) == .timedOut)
    store.pass(2)
    closed.wait()
    #expect(answeredBefore.withLock { $0 } == 2)
    #expect(store.transactions == [1, 2])
  }

  @Test func `closing from a completion does not deadlock`() throws {
    let inbox = Inbox(GatedStore())
    let closed = DispatchSemaphore(value: 0)
    #expect(inbox.submit(try events(1)) { _ in inbox.close { closed.signal() } })
    closed.wait()
  }

  @Test func `of a hundred deliveries of one event at once, one is accepted and 99 are duplicates`() throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let inbox = Inbox(store)
    let answers = Answers()
    let event = try IncomingEvent.revoking(1)
    DispatchQueue.concurrentPerform(iterations: 100) { number in
      _ = answers.submit([event], to: inbox, as: number)
    }
    let all = answers.wait()
    #expect(all.count == 100)
    #expect(all.values.allSatisfy { $0.count == 1 })
    #expect(all.values.count { $0 == [.success([.accepted])] } == 1)
    #expect(all.values.count { $0 == [.success([.duplicate])] } == 99)
  }

  @Test func `an answered event is in the store already, whatever loop asked`() throws {
    let folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let inbox = Inbox(store)
    let missing = Mutex(0)
    let group = DispatchGroup()
    let sessions = try (0..<200).map { try session(UInt64($0)) }
    let batches = try (0..<200).map { [try IncomingEvent.revoking(UInt64($0))] }
    DispatchQueue.concurrentPerform(iterations: 200) { number in
      group.enter()
      _ = inbox.submit(batches[number]) { _ in
        let isRevoked = (try? store.revocation(of: sessions[number])) != nil
        if !isRevoked { missing.withLock { $0 += 1 } }
        group.leave()
      }
    }
    group.wait()
    #expect(missing.withLock { $0 } == 0)
    #expect(try store.tally().revocations == 200)
  }

  @Test func `those who were answered among others are waited for, and go into one transaction when they come again`()
    throws
  {
    let (inbox, store, clock) = slowInbox()
    let answers = Answers()
    #expect(answers.submit(try events(1), to: inbox, as: 0))
    store.waitUntilEntered()
    #expect(answers.submit(try events(2), to: inbox, as: 1))
    clock.add(100)
    store.pass()
    while !inbox.isGathering { sched_yield() }
    #expect(answers.submit(try events(1), to: inbox, as: 2))
    store.waitUntilEntered()
    clock.add(100)
    store.pass()
    _ = answers.wait()
    // Nobody waited when the three were answered. Now the first to come waits for the others. What comes while the
    // writer still looks whether somebody has come may be written at once.
    for _ in 0..<2 { ping(inbox) }
    #expect(answers.submit(try events(1), to: inbox, as: 3))
    while !inbox.isGathering { sched_yield() }
    #expect(answers.submit(try events(2), to: inbox, as: 4))
    store.pass()
    _ = answers.wait()
    #expect(store.transactions == [1, 3, 3])
  }

  @Test func `an event that no other was with is written at once, however long commits take`() throws {
    let (inbox, store, clock) = slowInbox()
    let answers = Answers()
    for number in 0..<5 {
      #expect(answers.submit(try events(1), to: inbox, as: number))
      store.waitUntilEntered()
      clock.add(100)
      store.pass()
      _ = answers.wait()
    }
    #expect(store.transactions == [1, 1, 1, 1, 1])
  }

  @Test func `those who do not come again are waited for no longer than a part of a commit`() throws {
    let (inbox, store, clock) = slowInbox(gathering: .microseconds(1))
    let answers = Answers()
    for (number, count) in [2, 1, 2, 1].enumerated() {
      #expect(answers.submit(try events(count), to: inbox, as: number))
      store.waitUntilEntered()
      clock.add(100)
      store.pass()
      _ = answers.wait()
    }
    #expect(store.transactions == [2, 1, 2, 1])
  }

  /// Commits take as long as seconds are added to the clock meanwhile.
  private func slowInbox(gathering: Duration = .seconds(60)) -> (inbox: Inbox, store: GatedStore, clock: TestClock) {
    var limits = InboxLimits()
    limits.gathering = gathering
    let store = GatedStore(isHeld: true)
    let clock = TestClock()
    return (Inbox(store, limits: limits, now: { clock.now }), store, clock)
  }

  private func events(_ count: Int) throws -> [IncomingEvent] {
    try (0..<count).map { try .other(UInt64($0)) }
  }

  /// Returns behind what is on the writer's queue; twice, behind what that has put there.
  private func ping(_ inbox: Inbox) {
    let answered = DispatchSemaphore(value: 0)
    inbox.ping { answered.signal() }
    answered.wait()
  }

  private func close(_ inbox: Inbox) {
    let closed = DispatchSemaphore(value: 0)
    inbox.close { closed.signal() }
    closed.wait()
  }
}

private final class TestClock: Sendable {
  private let start = ContinuousClock.now
  private let seconds = Atomic(0)

  var now: ContinuousClock.Instant { start + .seconds(seconds.load(ordering: .sequentiallyConsistent)) }

  func add(_ seconds: Int) { self.seconds.add(seconds, ordering: .sequentiallyConsistent) }
}
