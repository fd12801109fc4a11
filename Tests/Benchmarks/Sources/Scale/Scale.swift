import CAllocations
import DynamicEvents
import Foundation
import RevocationStore
import Storage

/// What an event and a look-up cost in a store of ten million sessions, compared with one of a thousand: times in
/// turns, so that what else the machine does falls on both, and the system calls and allocations, which do not depend
/// on the machine. Fails when a ratio is over its bound.
///
/// An argument is another size, for a quick look. Ten million take 10 GB of the temporary folder, and some minutes to
/// make.
@main struct Scale {
  private static let rounds = 15

  static func main() throws {
    let size = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 10_000_000
    let folder = FileManager.default.temporaryDirectory.appending(path: "revoked-scale-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let stores = try [1000, size].map { try SizedStore(sessions: $0, data: "\(folder)/\($0)") }
    print("| work | sessions | time | read calls | write calls | allocations |\n|---|--:|--:|--:|--:|--:|")
    var isKept = true
    for work in Work.allCases {
      // Once before, for what is made lazily and what the caches hold in a running server.
      for store in stores { try store.run(work) }
      var costs: [[Cost]] = [[], []]
      for _ in 0..<rounds {
        for (index, store) in stores.enumerated() { costs[index].append(try store.run(work)) }
      }
      let medians = costs.map { costs in Cost.median(costs) }
      for (store, cost) in zip(stores, medians) {
        let time = String(format: "%.2f µs", cost.nanoseconds / 1000)
        let calls = [cost.reads, cost.writes, cost.allocations].map { String(format: "%.2f", $0) }
        print("| \(work.rawValue) | \(store.sessions) | \(time) | \(calls.joined(separator: " | ")) |")
      }
      let ratio = medians[1].nanoseconds / medians[0].nanoseconds
      print("| … ratio | | \(String(format: "%.2f, at most %.1f", ratio, work.bound)) | | | |")
      isKept = isKept && ratio <= work.bound
    }
    if !isKept {
      FileHandle.standardError.write(Data("A promise is broken: a ratio is over its bound.\n".utf8))
      exit(1)
    }
  }
}

enum Work: String, CaseIterable {
  case event = "an event, in batches of 64"
  case unknown = "a look-up of a session that is not revoked"
  case known = "a look-up of a revoked session, drawn at random"

  /// Times what it costs with a thousand sessions.
  var bound: Double { self == .known ? 2.3 : 1.3 }
}

/// Of one event or one look-up.
struct Cost {
  var nanoseconds: Double
  var reads: Double
  var writes: Double
  var allocations: Double

  static func median(_ costs: [Cost]) -> Cost {
    let middle = { (value: (Cost) -> Double) in costs.map(value).sorted()[costs.count / 2] }
    return Cost(
      nanoseconds: middle(\.nanoseconds), reads: middle(\.reads), writes: middle(\.writes),
      allocations: middle(\.allocations))
  }

  /// - Parameter count: how often `body` does what is measured.
  static func measure(_ count: Int, _ body: () throws -> Void) throws -> Cost {
    let (calls, allocations, start) = (systemCalls(), CAllocations.allocations(), ContinuousClock.now)
    try body()
    let time = start.duration(to: .now)
    let (allocationsAfter, callsAfter) = (CAllocations.allocations(), systemCalls())
    let each = { (value: Double) in value / Double(count) }
    return Cost(
      nanoseconds: each(time / .nanoseconds(1)), reads: each(callsAfter.reads - calls.reads),
      writes: each(callsAfter.writes - calls.writes), allocations: each(Double(allocationsAfter - allocations)))
  }

  /// As the kernel counts them.
  private static func systemCalls() -> (reads: Double, writes: Double) {
    let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
    let value = { (name: String) in
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      return line.flatMap { Double($0.dropFirst(name.count)) } ?? 0
    }
    return (value("syscr: "), value("syscw: "))
  }
}

/// A store whose sessions are known by their numbers.
final class SizedStore {
  let sessions: UInt64
  private let store: RevocationStore
  private let reader: LookUpReader
  private var next: UInt64 = 0
  private var random = SystemRandomNumberGenerator()

  init(sessions: UInt64, data: String) throws {
    self.sessions = sessions
    store = try RevocationStore(data: data, mode: .serve)
    reader = LookUpReader(store)
    while next < sessions { try append(Int(min(512, sessions - next))) }
  }

  @discardableResult
  func run(_ work: Work) throws -> Cost {
    switch work {
    case .event:
      // A flush of the index every 16,384 events, and its share of the merges: enough of them that a round has them.
      return try Cost.measure(320 * 64) { for _ in 0..<320 { try append(64) } }
    case .unknown:
      let ids = try (0..<20_000).map { _ in try Self.session(.random(in: 1 << 40...1 << 50, using: &random)) }
      return try Cost.measure(ids.count) { try look(ids, areRevoked: false) }
    case .known:
      let ids = try (0..<20_000).map { _ in try Self.session(.random(in: 0..<sessions, using: &random)) }
      return try Cost.measure(ids.count) { try look(ids, areRevoked: true) }
    }
  }

  private func look(_ ids: [SessionID], areRevoked: Bool) throws {
    for id in ids {
      guard try reader.standing(of: [TokenClaims(sid: id)], at: now) == (areRevoked ? .revoked : .good) else {
        throw Wrong()
      }
      reader.roundEnded()
    }
  }

  private struct Wrong: Error {}

  private let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))

  private func append(_ count: Int) throws {
    let events = try (next..<next + UInt64(count)).map { number in
      guard let key = EventKey(bytes: Self.id(number ^ 1 << 60)) else { throw Wrong() }
      return IncomingEvent(
        key: key, messageID: "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10", body: Self.body, receivedAt: now,
        occurredAt: now,
        kind: .sessionRevoked(
          SessionRevoked(
            name: "user.session.revoked", eventID: nil, session: try Self.session(number), by: .user, revokedAt: now,
            createdAt: now)))
    }
    next += UInt64(count)
    _ = try store.append(events)
  }

  /// As long as Dynamic's.
  private static let body = [UInt8](repeating: 0x61, count: 557)

  private static func session(_ number: UInt64) throws -> SessionID {
    guard let session = SessionID(bytes: id(number)) else { throw Wrong() }
    return session
  }

  /// Spread like random ids.
  private static func id(_ number: UInt64) -> [UInt8] {
    var state = number &* 0x9E37_79B9_7F4A_7C15
    return (0..<2).flatMap { _ in
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
      word ^= word >> 31
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }
}
