internal import ArgumentParser
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
