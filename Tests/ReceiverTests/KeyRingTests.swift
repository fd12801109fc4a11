import Dispatch
import DynamicEvents
import Logging
import RevocationStore
import Storage
import Synchronization
import TestSupport
import Testing

@testable import AccessTokens
@testable import Receiver

@Suite("The environment's keys", .timeLimit(.minutes(1)))
struct KeyRingTests {
  static let (first, second) = (Result { try SigningKey("k1") }, Result { try SigningKey("k2") })

  /// What a server would publish, and how often it was asked.
  final class Publisher: Sendable {
    struct Away: Error {}

    private let state = Mutex((text: [UInt8]?.none, count: 0, gate: DispatchSemaphore?.none))

    var count: Int { state.withLock { $0.count } }

    func publish(_ keys: SigningKey...) throws {
      let text = #"{"keys":[\#(try keys.map { try $0.jwk() }.joined(separator: ","))]}"#
      state.withLock { $0.text = Array(text.utf8) }
    }

    func publish(text: String?) { state.withLock { $0.text = text.map { Array($0.utf8) } } }

    func fetch() throws -> [UInt8] {
      try state.withLock { state in
        state.count += 1
        guard let text = state.text else { throw Away() }
        return text
      }
    }
  }

  final class Clock: Sendable {
    let milliseconds = Atomic<Int64>(1_800_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.load(ordering: .relaxed)) }

    func advance(_ seconds: Int64) { milliseconds.add(seconds * 1000, ordering: .relaxed) }
  }

  let folder: TemporaryFolder
  let store: RevocationStore
  let publisher = Publisher()
  let clock = Clock()

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  func ring(source: String = "https://a/keys", maxAge: Duration = .seconds(3600)) -> KeyRing {
    KeyRing(
      source: source, maxAge: maxAge, store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock] in clock.now }, fetch: { [publisher] in try publisher.fetch() })
  }

  /// Started, and past its first fetch.
  func started(source: String = "https://a/keys") async -> KeyRing {
    let ring = ring(source: source)
    ring.start()
    await until { ring.complaint?.contains("being fetched") != true && publisher.count > 0 && ring.isIdle }
    return ring
  }

  func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  func unknown(_ id: String, issuedAt seconds: Int64? = 1_800_000_100) -> UnknownKey {
    UnknownKey(id: Array(id.utf8), issuedAt: seconds.map { NumericDate(milliseconds: $0 * 1000) })
  }

  @Test func `are fetched before the server is ready`() async throws {
    try publisher.publish(Self.first.get())
    let ring = ring()
    #expect(ring.complaint != nil && !ring.isUsable(at: clock.now) && ring.keys == nil)
    ring.start()
    await until { ring.complaint == nil }
    #expect(ring.isUsable(at: clock.now) && ring.keys?.keyIDs == ["k1"] && publisher.count == 1)
    ring.stop()
  }

  @Test func `survive a restart while nobody publishes them, until they are too old`() async throws {
    try publisher.publish(Self.first.get())
    await started().stop()
    publisher.publish(text: nil)
    clock.advance(3500)
    let ring = await started()
    #expect(ring.complaint == nil && ring.keys?.keyIDs == ["k1"])
    clock.advance(101)
    #expect(ring.complaint != nil && !ring.isUsable(at: clock.now))
    ring.stop()
  }

  @Test func `of another environment do not count, nor for longer when the clock was ahead`() async throws {
    try publisher.publish(Self.first.get())
    clock.advance(1_000_000)
    await started().stop()
    publisher.publish(text: nil)
    let other = await started(source: "https://b/keys")
    #expect(other.keys == nil && other.complaint != nil)
    other.stop()
    clock.advance(-1_000_000)
    let ring = await started()
    #expect(ring.isUsable(at: clock.now))
    clock.advance(3601)
    #expect(!ring.isUsable(at: clock.now))
    ring.stop()
  }

  @Test(arguments: [
    nil, "", "{}", #"{"keys":[]}"#, "<html>", #"{"keys":[{"kty":"EC","kid":"k1"}]}"#,
    String(repeating: " ", count: 70_000),
  ])
  func `are kept when what is fetched is of no use`(text: String?) async throws {
    try publisher.publish(Self.first.get())
    await started().stop()
    publisher.publish(text: text)
    let ring = await started()
    #expect(publisher.count >= 2 && ring.keys?.keyIDs == ["k1"] && ring.complaint == nil)
    ring.stop()
  }

  @Test func `are fetched for an unknown one, at once and then not again for a while`() async throws {
    try publisher.publish(Self.first.get())
    let ring = await started()
    let (asked, version) = (publisher.count, ring.version)
    try publisher.publish(Self.first.get(), Self.second.get())
    let found = Atomic(0)
    for _ in 0..<3 {
      guard case .waiting = ring.search(for: unknown("k2"), done: { found.add(1, ordering: .relaxed) }) else {
        // The fetch was over before this one asked.
        continue
      }
    }
    await until { ring.keys?.keyIDs == ["k1", "k2"] && ring.isIdle && found.load(ordering: .relaxed) > 0 }
    #expect(publisher.count == asked + 1 && ring.version == version + 1)
    // A token that was issued before that fetch would have been signed with one of its keys. A newer one may be signed
    // with a key that is newer still.
    clock.advance(200)
    for index in 0..<50 {
      let old = ring.search(for: unknown("x\(index)", issuedAt: 1_799_999_990)) {}
      guard case .absent = old else {
        Issue.record("\(old)")
        return
      }
      let new = ring.search(for: unknown("x\(index)")) {}
      guard case .tooSoon = new else {
        Issue.record("\(new)")
        return
      }
    }
    #expect(publisher.count == asked + 1)
    ring.stop()
  }

  @Test func `tell one that does not exist for good after the fetch that it caused`() async throws {
    try publisher.publish(Self.first.get())
    let ring = await started()
    let asked = publisher.count
    let isOver = Atomic(false)
    guard case .waiting = ring.search(for: unknown("no"), done: { isOver.store(true, ordering: .releasing) }) else {
      Issue.record("no fetch")
      return
    }
    await until { isOver.load(ordering: .acquiring) }
    for isRetry in [true, false] {
      guard case .absent = ring.search(for: unknown("no"), isRetry: isRetry, done: {}) else {
        Issue.record("\(isRetry)")
        return
      }
    }
    // A fetch that fails tells nothing.
    guard case .tooSoon = ring.search(for: unknown("other"), isRetry: true, done: {}) else {
      Issue.record("told")
      return
    }
    #expect(publisher.count == asked + 1)
    ring.stop()
  }

  @Test func `that were removed are gone with the next fetch`() async throws {
    try publisher.publish(Self.first.get(), Self.second.get())
    let ring = await started()
    try publisher.publish(Self.second.get())
    _ = ring.search(for: unknown("x")) {}
    await until { ring.keys?.keyIDs == ["k2"] }
    ring.stop()
  }

  @Test func `let nobody wait after a stop`() async throws {
    publisher.publish(text: nil)
    let ring = await started()
    ring.stop()
    guard case .tooSoon = ring.search(for: unknown("x"), done: {}) else {
      Issue.record("waits")
      return
    }
  }
}
