internal import ArgumentParser
internal import Receiver
internal import Storage

struct StoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Looks after the store itself.",
    subcommands: [VerifyStoreCommand.self, CopyStoreCommand.self])
}

struct VerifyStoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Compares the store's rows, index and counts, and has SQLite check its file.",
    discussion: """
      Reads every row and works beside a running server, whose log grows meanwhile. Exit 0: the store is whole; 1: it \
      is not, and each fault is a line. A server that finds its index damaged builds it anew by itself; `--rebuild` \
      does that for a store that no server has, and counts anew.
      """)

  @Flag(help: "First make index and counts anew from the rows. Not beside a running server.")
  var rebuild = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let receiver = try options.loadStore().receiver
    var faults: [String] = []
    do throws(StoreError) {
      let rows = rebuild ? try Self.rebuild(receiver) : nil
      if let rows { Notice.say("made the index of \(rows) rows and the counts anew") }
      let store = try receiver.openStore(.inspect)
      faults = try Self.showing { show throws(StoreError) in try store.findFaults(progress: show) }
      try store.close()
    } catch {
      switch error {
      // It cannot even be opened, or the rows themselves make no sense.
      case .corrupt, .foreign: faults = ["\(error); restore a backup into an empty folder"]
      case .locked where rebuild:
        throw Failure.io(
          "\(error): it makes its index anew by itself as soon as it finds it damaged; stop it to have all made anew "
            + "now"
        )
      default: throw Failure.store(error)
      }
    }
    for fault in faults { try Output.line(fault.visible()) }
    guard faults.isEmpty else { throw Failure.no }
    try Output.line("the store is whole")
  }

  /// Returns how many rows the index has.
  private static func rebuild(_ receiver: ReceiverConfiguration) throws(StoreError) -> Int {
    let store = try receiver.openStore(.repair)
    let rows = try showing { show throws(StoreError) in try store.rebuild(progress: show) }
    try store.close()
    return rows
  }

  /// Has `work` say how far it is, and shows that on a terminal.
  private static func showing<Result>(
    _ work: (_ show: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    var (shown, bar): (StoreStage?, ProgressBar) = (nil, ProgressBar(total: 1))
    defer { bar.clear() }
    return try work { stage, done, total in
      if stage != shown { bar = ProgressBar(total: total, label: stage.rawValue) }
      shown = stage
      // Rows may have come since they were counted.
      bar.show(min(done, max(1, total)))
    }
  }
}
