internal import CSpawn
internal import DynamicEvents
internal import Synchronization
internal import SystemPackage

/// Which attempts are under way, in a file that outlives the process.
///
/// Whatever ends the process while attempts run, a trap in a handler or the kernel's memory killer, the next process
/// finds what had begun. It begins each of these later and alone, so that a second end shows which one it was, and
/// gives it up after the third.
///
/// The file is mapped: to note an attempt costs a few stores, and the kernel keeps them when the process ends. They are
/// never synced. After a power cut the file may be older than the store. Then an event is attempted alone without need,
/// or begins as if for the first time.
final class AttemptFile: Sendable {
  /// An attempt that had begun when a process ended.
  struct Suspect: Hashable {
    let event: Int64
    /// Tells the event from one of the same number in a store that was restored.
    let receivedAt: Timestamp
    /// How many processes ended while it was attempted.
    let ends: Int
    fileprivate let slot: Int
  }

  /// After so many ends with an attempt under way its event becomes a dead letter.
  static let mostEnds = 3
  /// A start whose handlers ran for so long has not failed.
  static let proven: Duration = .seconds(60)
  private static let longestPause: Duration = .seconds(300)
  /// Four handlers with as many attempts at the same time as there may be. What is beyond is attempted, and not noted.
  private static let slots = 1023

  private struct State {
    var free: [Int]
    /// By handler, those that are not under way. The slots of handlers that have gone are freed by the next start.
    var suspects: [Int64: [Suspect]] = [:]
    /// Whether a suspect is under way: there is one at a time, whatever its handler, so that no two share the blame.
    var isTurnTaken = false
  }

  /// Starts that followed an end without a stop, this one included.
  let uncleanStarts: Int
  /// How long handlers wait before they begin: the longer, the more starts in a row ended early with attempts under
  /// way.
  let pause: Duration
  /// Whether the last process ended without a stop.
  let wasUnclean: Bool
  private let pages: MappedSlots
  private let state: Mutex<State>

  /// Opens the file, or makes it, and takes note of what the last process left. Throws when there is no room for it.
  init(_ path: String) throws(Errno) {
    pages = try MappedSlots(path, count: Self.slots + 1)
    let boot = BootID.current
    var header = AttemptFileHeader(pages[0])
    wasUnclean = header.run != .stopped
    var state = State(free: [])
    var begun = 0
    var orphans: [OrphanedCommand] = []
    for number in (1...Self.slots).reversed() {
      var slot = pages[number]
      if slot.phase == .begun {
        begun += 1
        if boot != 0, header.boot == boot, let orphan = OrphanedCommand(slot.command) { orphans.append(orphan) }
        if wasUnclean { slot.ends = min(slot.ends, .max - 1) + 1 }
        slot.phase = slot.ends > 0 ? .suspect : .free
      }
      if slot.phase == .suspect {
        state.suspects[slot.handler, default: []].append(
          Suspect(
            event: slot.event, receivedAt: Timestamp(milliseconds: slot.receivedAt), ends: Int(slot.ends), slot: number)
        )
      } else {
        slot = AttemptSlot()
        state.free.append(number)
      }
      pages[number] = slot
    }
    OrphanedCommand.end(orphans)
    if wasUnclean { header.uncleanStarts = min(header.uncleanStarts, .max - 1) + 1 }
    if header.run != .begun {
      header.earlyEnds = 0
    } else if begun > 0 {
      // Where nothing was under way no handler was the cause.
      header.earlyEnds = min(header.earlyEnds, 31) + 1
    }
    header.run = .stopped
    header.boot = boot
    pages[0] = header.slot
    uncleanStarts = Int(clamping: header.uncleanStarts)
    pause = header.earlyEnds == 0 ? .zero : min(.seconds(1 << (header.earlyEnds - 1)), Self.longestPause)
    self.state = Mutex(state)
  }

  /// From now on an end without `stop` is an unclean one.
  func start() { change(to: .begun) }

  /// The start has not failed: the next one need not wait.
  func prove() { change(to: .proven, if: .begun) }

  /// What ends from now on ends in order.
  func stop() { change(to: .stopped) }

  private func change(to run: AttemptFileHeader.Run, if former: AttemptFileHeader.Run? = nil) {
    state.withLock { _ in
      var header = AttemptFileHeader(pages[0])
      guard former == nil || header.run == former else { return }
      header.run = run
      pages[0] = header.slot
    }
  }

  /// Notes that an attempt begins; `end` follows. Returns nil when there is no place.
  func begin(_ event: Int64, receivedAt: Timestamp, handler: Int64) -> Mark? {
    guard let number = state.withLock({ $0.free.popLast() }) else { return nil }
    pages[number] = AttemptSlot(
      phase: .begun, handler: handler, event: event, receivedAt: receivedAt.milliseconds)
    return Mark(file: self, number: number, suspect: nil)
  }

  /// Those of a handler that wait for their turn.
  func suspects(of handler: Int64) -> [Suspect] {
    state.withLock { $0.suspects[handler] ?? [] }
  }

  /// Whether it is the caller's turn to attempt one of its suspects. If so it is until `endTurn`.
  func takeTurn() -> Bool {
    state.withLock { state in
      if state.isTurnTaken { return false }
      state.isTurnTaken = true
      return true
    }
  }

  func endTurn() {
    state.withLock { $0.isTurnTaken = false }
  }

  /// Notes that a suspect's attempt begins.
  func begin(_ suspect: Suspect, handler: Int64) -> Mark {
    state.withLock { $0.suspects[handler]?.removeAll { $0 == suspect } }
    pages[suspect.slot].phase = .begun
    return Mark(file: self, number: suspect.slot, suspect: suspect)
  }

  /// It is no suspect any more.
  func clear(_ suspect: Suspect, handler: Int64) {
    begin(suspect, handler: handler).end()
  }

  /// An attempt's place in the file.
  struct Mark: Sendable {
    private let file: AttemptFile
    private let number: Int
    private let suspect: Suspect?

    fileprivate init(file: AttemptFile, number: Int, suspect: Suspect?) {
      self.file = file
      self.number = number
      self.suspect = suspect
    }

    /// The attempt that the current task makes, if it is noted.
    @TaskLocal static var current: Mark?

    /// Where the command that the attempt runs is noted: the next start ends it if this one cannot. Valid as long as
    /// this.
    var note: UnsafeMutablePointer<command_note> { unsafe file.pages.note(of: number) }

    /// The attempt has ended, however.
    func end() {
      file.pages[number] = AttemptSlot()
      file.state.withLock { $0.free.append(number) }
    }

    /// A stop broke the attempt off, which says nothing of it.
    func breakOff(handler: Int64) {
      guard let suspect else { return end() }
      file.pages[number].command = command_note()
      file.pages[number].phase = .suspect
      file.state.withLock { $0.suspects[handler, default: []].append(suspect) }
    }
  }
}
