import DynamicEvents
import Foundation
import RevocationStore
import Storage

/// What the store does for a delivery or a look-up. Instructions are not counted: most of the work is the kernel's.
struct StoreOperation {
  let name: String
  /// More than this for each are a regression; a tenth more than what was measured, since now and then a page more is
  /// written, or a run of the index.
  let systemCalls: Double
  let allocations: Double
  let prepare: (StoreBench) throws -> () -> Int

  static let few = 100
  static let many = 600

  static var all: [StoreOperation] {
    [
      StoreOperation(name: "commit of one event", systemCalls: 19, allocations: 28) { bench in
        { bench.append(1) }
      },
      StoreOperation(name: "commit of 64 events", systemCalls: 79, allocations: 980) { bench in
        { bench.append(64) }
      },
      StoreOperation(name: "look-up of one that is not revoked, alone in its round", systemCalls: 5.1, allocations: 3.1)
      {
        bench in
        let reader = LookUpReader(bench.store)
        return { bench.look(reader, at: 100_000, endsRound: true) }
      },
      StoreOperation(name: "look-up of one that is not revoked, among others", systemCalls: 0, allocations: 2.1) {
        bench in
        let reader = LookUpReader(bench.store)
        return { bench.look(reader, at: 100_000, endsRound: false) }
      },
    ]
  }
}

/// A store in a folder of its own, which goes with it, and events that it has not had.
final class StoreBench {
  let store: RevocationStore
  private let folder: URL
  private let events: [IncomingEvent]
  private var next = 0
  private let now = Timestamp(Date())

  /// - Parameter count: how many events there are.
  init(events count: Int) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "benchmarks-\(UUID().uuidString)")
    store = try RevocationStore(data: folder.path, mode: .serve)
    events = try (0..<count).map { number in
      guard let key = EventKey(bytes: Self.id(number + 1_000_000)), let session = SessionID(bytes: Self.id(number))
      else { throw CocoaError(.formatting) }
      return IncomingEvent(
        key: key, messageID: "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10", body: Delivery.body,
        receivedAt: Timestamp(milliseconds: 1_790_845_200_000), occurredAt: Timestamp(milliseconds: 1_790_845_200_000),
        kind: .sessionRevoked(
          SessionRevoked(
            name: "user.session.revoked", eventID: nil, session: session, by: .user,
            revokedAt: Timestamp(milliseconds: 1_790_845_200_000), createdAt: nil)))
    }
  }

  deinit {
    try? store.close()
    try? FileManager.default.removeItem(at: folder)
  }

  func append(_ count: Int) -> Int {
    defer { next += count }
    return (try? store.append(Array(events[next..<next + count])).count) ?? 0
  }

  /// Returns how many are revoked.
  func look(_ reader: LookUpReader, at number: Int, endsRound: Bool) -> Int {
    next += 1
    guard let session = SessionID(bytes: Self.id(number + next)) else { return 0 }
    let standing = try? reader.standing(of: [TokenClaims(sid: session)], at: now)
    if endsRound { reader.roundEnded() }
    return standing == .revoked ? 1 : 0
  }

  /// Spread like random ids.
  private static func id(_ number: Int) -> [UInt8] {
    var word = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    return (0..<16).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * ($0 & 7))) ^ UInt8($0) }
  }
}
