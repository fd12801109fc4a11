import Testing

@testable import HTTPServer

@Suite("A connection's deadlines are absolute", .timeLimit(.minutes(1)))
struct ConnectionStateTests {
  static let second: UInt64 = 1_000_000_000

  func state() -> ConnectionState { ConnectionState(now: 0, timeouts: Timeouts(ServerLimits())) }

  @Test func `a head's begins with its first byte and is not moved by more of them`() {
    var state = state()
    state.headBegan(now: 5 * Self.second)
    state.headBegan(now: 9 * Self.second)
    #expect(state.deadline == 15 * Self.second)
  }

  @Test
  func `a reply that the peer does not take stops the reading, and postpones no deadline of the request behind it`() {
    var state = state()
    state.requestEnded(keepsAlive: true)
    state.answered(now: 0)
    state.headBegan(now: 0)
    state.bodyBegan(now: 1 * Self.second)
    state.stalled(now: 2 * Self.second)
    state.stalled(now: 5 * Self.second)
    #expect(!state.isReading)
    #expect(state.deadline == 11 * Self.second)
    #expect(state.flushed(now: 6 * Self.second) == .read)
    #expect(state.phase == .body)
    #expect(state.isReading)
    #expect(state.deadline == 11 * Self.second)
  }

  @Test func `earlier replies that go out do not end a connection whose last answer is still owed`() {
    var state = state()
    state.requestEnded(keepsAlive: false)
    #expect(state.flushed(now: 0) == .read)
    #expect(state.phase == .answering)
    state.answered(now: 0)
    #expect(state.flushed(now: 0) == .close)
  }

  @Test func `whoever owes no answer has no deadline; whoever lingers has one`() {
    var state = state()
    state.requestEnded(keepsAlive: true)
    #expect(state.deadline == .max)
    state.failed()
    state.answered(now: 0)
    #expect(state.flushed(now: 0) == .linger)
    #expect(state.phase == .lingering)
    #expect(state.deadline == 2 * Self.second)
  }
}
