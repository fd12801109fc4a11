import DynamicEvents
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Receiver

@Suite("The last hour", .timeLimit(.minutes(1)))
struct HistoryTests {
  private final class Clock: Sendable {
    let milliseconds = Atomic<Int64>(1_790_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.load(ordering: .relaxed)) }

    func pass(seconds: Int64) { milliseconds.wrappingAdd(seconds * 1000, ordering: .relaxed) }
  }

  private let clock = Clock()
  private let metrics = Metrics()
  private let history: History

  init() {
    history = History(metrics) { [clock] in clock.now }
  }

  @Test func `what was counted stands in the minute in which it happened, and the current one is in the answer`() {
    metrics.count(.sessionRevoked, .accepted)
    metrics.count(.adminSessionRevoked, .accepted)
    metrics.lookUps.add(5, to: .notRevoked)
    clock.pass(seconds: 60)
    history.endMinute()
    metrics.count(.ping, .unverified)
    metrics.signatureFailed()
    metrics.lookUps.add(to: .revoked)
    clock.pass(seconds: 7)
    let minutes = history.report().minutes
    #expect(minutes.map(\.from) == ["2026-09-21T14:13:20.000Z", "2026-09-21T14:14:20.000Z"])
    #expect(minutes.map(\.seconds) == [60, 7])
    #expect(minutes.map(\.deliveries) == [["accepted": 2], ["unverified": 1, "refused": 1]])
    #expect(minutes.map(\.lookUps) == [["not_revoked": 5], ["revoked": 1]])
  }

  @Test func `durations are those of the minute alone`() throws {
    for _ in 0..<100 { metrics.commitSeconds.observe(0.004) }
    metrics.lookUpSeconds.observe(nanoseconds: 20_000)
    metrics.lookUpSeconds.observe(nanoseconds: 5_000_000_000)
    clock.pass(seconds: 60)
    history.endMinute()
    metrics.commitSeconds.observe(0.2)
    let minutes = history.report().minutes
    #expect(minutes[0].commitSeconds?.count == 100)
    #expect(try abs(#require(minutes[0].commitSeconds).mean - 0.004) < 1e-9)
    #expect(minutes.map(\.commitSeconds?.p99) == [0.005, 0.25])
    // One of the two is beyond the last bound.
    #expect(minutes[0].lookUpSeconds?.p99 == nil)
    #expect(minutes.map(\.lookUpSeconds?.count) == [2, nil])
    #expect(minutes.map(\.revocationLatencySeconds) == [nil, nil])
  }

  @Test(arguments: [(1, 0.001), (99, 0.001), (100, 0.001), (101, 0.001), (199, 0.001), (200, 0.001)])
  func `of any hundred at most one is slower than p99`(count: Int, bound: Double) {
    for _ in 0..<count - count / 100 { metrics.commitSeconds.observe(0.0008) }
    for _ in 0..<count / 100 { metrics.commitSeconds.observe(4) }
    #expect(history.report().minutes.last?.commitSeconds?.p99 == bound)
    metrics.commitSeconds.observe(4)
    #expect(history.report().minutes.last?.commitSeconds?.p99 == ((count + 1) % 100 == 0 ? bound : 5))
  }

  @Test func `an hour is kept, and no more`() {
    for minute in 0..<150 {
      metrics.lookUps.add(minute, to: .failed)
      clock.pass(seconds: 60)
      history.endMinute()
    }
    let minutes = history.report().minutes
    #expect(minutes.count == 61)
    #expect(minutes.compactMap { $0.lookUps["failed"] } == Array(90..<150))
    #expect(minutes.first?.from == "2026-09-21T15:43:20.000Z")
  }

  @Test func `a clock that is set back makes no minute negative`() {
    clock.pass(seconds: -3600)
    history.endMinute()
    #expect(history.report().minutes.map(\.seconds) == [0, 0])
  }

  @Test func `the route shows what has just happened`() throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")
    _ = try served.ask("GET", "/v1/sessions/3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")
    let answer = try served.ask("GET", "/v1/history")
    #expect(answer.contains("200 OK"))
    #expect(answer.contains(#""deliveries":{"accepted":1}"#))
    #expect(answer.contains(#""lookUps":{"revoked":1}"#))
    #expect(try served.ask("POST", "/v1/history").contains("405"))
  }
}
