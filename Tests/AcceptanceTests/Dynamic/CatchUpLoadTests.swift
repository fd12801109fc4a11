import Foundation
import HTTPServer
import TestSupport
import Testing

/// A measurement: `REVOKED_LONG=1 swift test -c release --filter CatchUpLoadTests` on a quiet machine.
@Suite(
  "Deliveries beside 10,000 recovered events", .enabled(if: LongRun.isAsked), .timeLimit(.minutes(10)), .serialized)
struct CatchUpLoadTests {
  @Test func `wait no longer than half as long again`() throws {
    let dynamic = try StandInDynamic()
    dynamic.change { $0.pageSize = 500 }
    let folder = try TemporaryFolder()
    try dynamic.prepareStore(in: folder)
    let server = try dynamic.server(in: folder, ["REVOKED_LOG_LEVEL": "warning"])
    _ = try Self.p99(server)
    let without = try Self.p99(server)
    // All of the last half an hour, which a check goes back.
    let revoked = try dynamic.revoke(10_000, asMessages: true, interval: 100)
    let recovered = #"revoked_recovered_events_total{source="message"}"#
    #expect(try eventually { try (server.metric(recovered) ?? 0) > 0 })
    let with = try Self.p99(server)
    // Else it was not beside them.
    let stored = try server.metric(recovered) ?? 0
    print("p99 of deliveries: \(without) ms; beside \(Int(stored)) of 10,000 recovered events: \(with) ms")
    // Some come as events, where the list of messages grew while it was read.
    #expect(try eventually(within: .seconds(180)) { try server.refused(revoked) == revoked.count })
    #expect(with <= without * 1.5)
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
