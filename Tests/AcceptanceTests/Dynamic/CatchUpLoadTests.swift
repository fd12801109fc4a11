import Foundation
import HTTPServer
import TestSupport
import Testing

/// A measurement: `REVOKED_LONG=1 swift test -c release --filter CatchUpLoadTests` on a quiet machine.
@Suite(
  "Deliveries beside 10,000 recovered events", .enabled(if: LongRun.isAsked, "it measures: REVOKED_LONG=1"),
  .timeLimit(.minutes(10)), .serialized)
struct CatchUpLoadTests {
  @Test func `wait no longer than half as long again`() throws {
    let dynamic = try StandInDynamic()
    dynamic.change { $0.pageSize = 500 }
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    let server = try dynamic.server(in: folder, ["REVOKED_LOG_LEVEL": "warning"])
    _ = try Self.p99(server)
    var without = try (0..<3).map { _ in try Self.p99(server) }
    // All of the last half an hour, which a check goes back.
    let revoked = try dynamic.revoke(10_000, asMessages: true, interval: 100)
    // Some come as events, where the list of messages grew while it was read.
    let recovered = {
      try ["message", "event"].map { try server.metric(#"revoked_recovered_events_total{source="\#($0)"}"#) ?? 0 }
        .reduce(0, +)
    }
    #expect(try eventually { try recovered() > 0 })
    let begin = ContinuousClock.now
    var with: [Double] = []
    // What was measured after the last of them was not beside them.
    while case let p99 = try Self.p99(server), try recovered() < 10_000, with.count < 100 { with.append(p99) }
    let seconds = begin.duration(to: .now) / .seconds(1)
    #expect(try server.refused(revoked) == revoked.count)
    // Again with the store as large as it is now, and no list to be read.
    dynamic.change { $0.fault = { _ in StandInResponse(503, "{}") } }
    without += try (0..<4).map { _ in try Self.p99(server) }.dropFirst()
    print("p99 of deliveries, ms: \(without); beside 10,000 recovered events, which took \(seconds) s: \(with)")
    try #require(!with.isEmpty)
    #expect(with.sorted()[with.count / 2] <= (without.sorted()[2] + without.sorted()[3]) / 2 * 1.5)
  }

  /// In milliseconds.
  private static func p99(_ server: RunningServer) throws -> Double {
    let process = Executable.process(
      ["send", "--count", "20000", "--concurrency", "16", "--url", "\(server.address.url)/webhooks/dynamic"],
      ["DYNAMIC_WEBHOOK_SECRET": Executable.secret])
    let result = try Executable.finish(process, within: 120)
    try #require(result.status == 0, "\(result.output)\(result.errors)")
    let text = result.output + result.errors
    let number = try #require(text.range(of: "p99 ").map { text[$0.upperBound...].prefix { $0 != " " } })
    return try #require(Double(number))
  }
}
