internal import ArgumentParser
internal import Foundation
internal import Receiver
internal import RevocationStore

/// What the commands that change dead letters have in common.
struct DeadChangeOptions: ParsableArguments {
  @OptionGroup var selection: DeadSelectionOptions

  @Flag(help: "For machines: the result as one line of JSON.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  /// Has `change` done to what is selected, some at a time, in the store that is configured, and then `end`.
  func apply(
    _ change: (RevocationStore, [DeadLetterID]) throws(StoreError) -> [DeadLetterID],
    finally end: (RevocationStore) throws(StoreError) -> Void = { _ in }
  ) throws -> DeadLetterWork {
    let settings = try options.load()
    do {
      let store = try RevocationStore(
        data: settings.receiver.data, mode: .amend, retention: settings.receiver.retention)
      let work = try selection.forEach(in: store) { ids throws(StoreError) in try change(store, ids) }
      try end(store)
      try store.close()
      return work
    } catch let error as StoreError {
      throw Failure.io(error)
    }
  }
}

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
