import DynamicAPI
import DynamicEvents
import Foundation
import RevocationStore
import Signature
import Storage
import TestSupport
import Testing

@testable import Recovery

/// A store, and an environment to catch up with.
private struct Bench {
  let dynamic: StandInDynamic
  let folder: TemporaryFolder
  let store: RevocationStore

  init(_ change: (inout StandInDynamic.State) -> Void = { _ in }) throws {
    dynamic = try StandInDynamic()
    dynamic.change(change)
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  var choice: WebhookChoice { WebhookChoice(id: nil, publicURL: nil, path: "/webhooks/dynamic") }

  func api() throws -> DynamicAPI {
    var access = DynamicAPI.Access(token: try Secret(dynamic.state.token), environment: StandInDynamic.environment)
    access.url = dynamic.apiURL
    return DynamicAPI(access, sleep: { _ in })
  }

  @discardableResult
  func run(
    _ scope: CatchUp.Scope = .check, secret: String = Vector.secret, dryRun: Bool = false,
    append: CatchUp.Append? = nil
  ) async throws -> CatchUpReport {
    let api = try api()
    let catchUp = CatchUp(
      api, store, secrets: [try Secret(secret)], retention: .seconds(30 * 86_400), now: { Timestamp(Date()) },
      append: append)
    return try await catchUp.run(scope, from: choice.sources(in: try await api.webhooks()), dryRun: dryRun)
  }

  func refused(_ revoked: [StandInDynamic.Revoked]) throws -> Int {
    try LookUpReader(store).revoked(of: revoked.compactMap { SessionID($0.session) }).count
  }

  /// By their source.
  func events(from source: EventSource) throws -> Int {
    try store.latestEvents(EventFilter(), before: nil, limit: 100_000).count { $0.source == source }
  }

  func state() throws -> CatchUpState? { try store.catchUpState(of: StandInDynamic.environment) }
}

@Suite("Catching up with Dynamic", .timeLimit(.minutes(2)))
struct CatchUpTests {
  @Test(arguments: StandInDynamic.Ending.allCases, [false, true])
  func `Failed messages and skipped events are stored once, however the lists are paged`(
    ending: StandInDynamic.Ending, isAscending: Bool
  ) async throws {
    let bench = try Bench { state in
      (state.ending, state.isAscending) = (ending, isAscending)
      state.keepsTexts = ending != .null
    }
    let failed = try bench.dynamic.revoke(30, asMessages: true)
    let skipped = try bench.dynamic.revoke(20, asMessages: false)
    let report = try await bench.run()
    #expect(report.messages == 30)
    #expect(report.events == 20)
    #expect(report.stored == 50)
    #expect(report.known + report.unusable == 0)
    #expect(try bench.refused(failed + skipped) == 50)
    #expect(try bench.events(from: .message) == 30)
    #expect(try bench.events(from: .event) == 20)
    // Again, and nothing happens.
    let again = try await bench.run()
    #expect(again.stored == 0)
    #expect(again.known == again.messages + again.events)
    #expect(try bench.store.tally().events == 50)
  }

  @Test func `A message that was delivered in the end is left, unless the store is new`() async throws {
    let bench = try Bench()
    let delivered = try bench.dynamic.revoke(10, asMessages: true, isListed: false, isDelivered: true)
    #expect(try await bench.run().messages == 0)
    try bench.store.setCatchUpState(.pending, of: StandInDynamic.environment)
    #expect(try await bench.run().messages == 10)
    #expect(try bench.refused(delivered) == 10)
  }

  @Test func `A message that cannot be verified is had as an event, and one that is no event either is told of`()
    async throws
  {
    let bench = try Bench()
    let listed = try bench.dynamic.revoke(3, asMessages: true, secret: "dyn_another-secret-than-ours")
    _ = try bench.dynamic.revoke(2, asMessages: true, isListed: false, secret: "dyn_another-secret-than-ours")
    let report = try await bench.run()
    #expect(report.messages == 0)
    #expect(report.events == 3)
    #expect(report.unusable == 2)
    #expect(try bench.refused(listed) == 3)
    #expect(try bench.store.tally().events == 3)
  }

  @Test(arguments: [
    // Another name, another environment, no session, an operator's.
    (fields: #""eventName":"user.created","data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}"#, unusable: 0),
    (
      fields:
        #""eventName":"user.session.revoked","environmentId":"00000000-0000-4000-8000-000000000000","#
        + #""data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}"#,
      unusable: 0
    ),
    (fields: #""eventName":"user.session.revoked","data":{"id":"all"}"#, unusable: 1),
    (fields: #""eventName":"user.session.revoked""#, unusable: 1),
    (
      fields: #""eventName":"operator.session.revoked","data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}"#,
      unusable: 0
    ),
  ])
  func `An event without a signature is taken only if it is a revocation, whole and ours`(
    fields: String, unusable: Int
  ) async throws {
    let bench = try Bench()
    bench.dynamic.list(#"{"eventId":"e-1",\#(fields)}"#, id: "e-1")
    let report = try await bench.run()
    #expect(report.stored == 0)
    #expect(report.unusable == unusable)
    #expect(try bench.store.tally().events == 0)
  }

  @Test func `How far it has come is written down once all of it is stored, and only then`() async throws {
    let bench = try Bench()
    try bench.store.setCatchUpState(.pending, of: StandInDynamic.environment)
    let revoked = try bench.dynamic.revoke(50, asMessages: true)
    bench.dynamic.change { $0.fault = { $0.path.hasSuffix("/events") ? StandInResponse(403, "{}") : nil } }
    await #expect(throws: CatchUpError.self) { try await bench.run() }
    #expect(try bench.state() == .pending)
    #expect(try bench.refused(revoked) == 50)
    bench.dynamic.change { $0.fault = nil }
    let begin = Timestamp(Date())
    #expect(try await bench.run().known == 50)
    guard case .complete(let until)? = try bench.state() else {
      Issue.record("not complete")
      return
    }
    #expect(until >= begin)
    // Of another environment it says nothing.
    #expect(try bench.store.catchUpState(of: "00000000-0000-4000-8000-000000000000") == nil)
  }

  @Test(arguments: [CatchUp.Scope.check, .start])
  func `What a clock that was ahead has written down counts for nothing`(scope: CatchUp.Scope) async throws {
    let bench = try Bench()
    let ahead = Timestamp(Date(timeIntervalSinceNow: 10 * 86_400))
    try bench.store.setCatchUpState(.complete(until: ahead), of: StandInDynamic.environment)
    let failed = try bench.dynamic.revoke(10, asMessages: true, secondsAgo: 3 * 86_400)
    let skipped = try bench.dynamic.revoke(10, asMessages: false, secondsAgo: 20 * 86_400)
    #expect(try await bench.run(scope).stored == 20)
    #expect(try bench.refused(failed + skipped) == 20)
    guard case .complete(let until)? = try bench.state() else {
      Issue.record("not complete")
      return
    }
    #expect(until < ahead)
  }

  @Test func `A run from a later time than the last complete one moves nothing`() async throws {
    let bench = try Bench()
    try await bench.run(.since(Timestamp(Date())))
    #expect(try bench.state() == nil)
    try await bench.run(.since(Timestamp(milliseconds: 0)))
    #expect(try bench.state() != nil)
  }

  @Test func `A dry run stores nothing, and says what would be stored`() async throws {
    let bench = try Bench()
    try bench.dynamic.revoke(10, asMessages: true)
    try await bench.run()
    let skipped = try bench.dynamic.revoke(5, asMessages: false)
    let report = try await bench.run(dryRun: true)
    #expect(report.stored == 5)
    #expect(report.known == 10)
    #expect(try bench.refused(skipped) == 0)
  }

  @Test func `Only pages that are needed are read, once a list is known to come newest first`() async throws {
    let bench = try Bench()
    try bench.store.setCatchUpState(.complete(until: Timestamp(Date())), of: StandInDynamic.environment)
    try bench.dynamic.revoke(100, asMessages: true, secondsAgo: 86_400)
    let failed = try bench.dynamic.revoke(10, asMessages: true)
    #expect(try await bench.run().messages == 10)
    #expect(try bench.refused(failed) == 10)
    // 20 attempts and the first old ones, two pages more.
    #expect(bench.dynamic.count("/messages") == 5)
    bench.dynamic.change { $0.isAscending = true }
    try await bench.run()
    #expect(bench.dynamic.count("/messages") == 5 + 32)
  }

  @Test func `Recovered events come in small pieces`() async throws {
    let bench = try Bench { $0.pageSize = 500 }
    try bench.dynamic.revoke(100, asMessages: true)
    try await bench.run { [store = bench.store] (batch) throws(StoreError) in
      #expect(batch.count <= 32)
      return try store.append(batch)
    }
    #expect(try bench.store.tally().events == 100)
  }

  @Test(
    arguments: [
      (times: [[9, 8], [3, 2], [1, 0]], isPast: true), (times: [[9, 8], [3, 2]], isPast: false),
      (times: [[8, 9], [3, 2], [1, 0]], isPast: false), (times: [[3, 3], [3, 3], [3, 3]], isPast: false),
      (times: [[9, 8], [3, 2], [6, 0], [0, 0]], isPast: false), (times: [[9, nil], [3, 2], [1, 0]], isPast: false),
      (times: [[0, 1], [2, 3], [8, 9]], isPast: false), (times: [[9, 8], [3, 2], [5, 0]], isPast: false),
    ] as [(times: [[Int64?]], isPast: Bool)])
  func `A list is left early only once it is certain`(times: [[Int64?]], isPast: Bool) {
    var order = PageOrder(start: Timestamp(milliseconds: 5))
    var last = false
    for page in times { last = order.isPast(page.map { $0.map(Timestamp.init(milliseconds:)) }) }
    #expect(last == isPast)
  }
}
