internal import Foundation
internal import RevocationStore

/// Many dead letters, a few at a time, beside a server that has the same store to write to.
struct DeadLetterWork {
  /// Some milliseconds of the store's writer.
  private static let chunk = 200

  private(set) var done = 0
  /// This release cannot decode them either.
  private(set) var undecodable = 0
  private var passed = 0
  private var progress: ProgressBar

  init(total: Int) {
    progress = ProgressBar(total: total)
  }

  /// Stops at the first failure; what was done until then stays done.
  mutating func run(
    _ ids: [DeadLetterID], _ body: ([DeadLetterID]) throws(StoreError) -> [DeadLetterID]
  ) throws(StoreError) {
    defer { progress.clear() }
    for start in stride(from: 0, to: ids.count, by: Self.chunk) {
      let chunk = ids[start..<min(start + Self.chunk, ids.count)]
      let began = ContinuousClock.now
      let changed = try body(Array(chunk))
      let took = began.duration(to: .now)
      done += changed.count
      undecodable += Set(chunk).subtracting(changed).count { $0.handler == nil }
      passed += chunk.count
      progress.show(passed)
      // Four fifths of the writer's time are the server's.
      if start + Self.chunk < ids.count {
        Thread.sleep(forTimeInterval: min(max(took * 4, .milliseconds(5)), .seconds(1)) / .seconds(1))
      }
    }
  }
}
