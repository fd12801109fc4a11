internal import CSpawn
internal import Glibc
internal import SystemPackage

/// One attempt in the file: 64 bytes, a line of the processor's cache.
struct AttemptSlot {
  enum Phase: UInt32 {
    case free
    /// Under way.
    case begun
    /// Was under way when a process ended, and waits.
    case suspect
  }

  private var phaseNumber: UInt32 = 0
  var ends: UInt32 = 0
  var handler: Int64 = 0
  var event: Int64 = 0
  var receivedAt: Int64 = 0
  /// The command at work. It writes this itself, before it begins.
  var command = command_note()
  private var spare: (UInt64, UInt64) = (0, 0)

  init() {}

  init(phase: Phase, handler: Int64, event: Int64, receivedAt: Int64) {
    phaseNumber = phase.rawValue
    self.handler = handler
    self.event = event
    self.receivedAt = receivedAt
  }

  /// What a file that something else wrote to says is free.
  var phase: Phase {
    get { Phase(rawValue: phaseNumber) ?? .free }
    set { phaseNumber = newValue.rawValue }
  }
}

/// The file's first slot.
struct AttemptFileHeader {
  enum Run: Int64 {
    /// No process has handlers at work, and the last one that had said goodbye.
    case stopped
    case begun
    /// For longer than a minute.
    case proven
  }

  /// "attempts", and the layout's version in place of the last letter.
  private static let magic: Int64 = 0x0174_706d_6574_7461

  var run = Run.stopped
  var uncleanStarts: Int64 = 0
  /// How many starts in a row ended within a minute with attempts under way.
  var earlyEnds = 0
  var boot: UInt64 = 0

  /// A file that is new, or of another program, says nothing.
  init(_ slot: AttemptSlot) {
    guard slot.handler == Self.magic, let run = Run(rawValue: slot.event) else { return }
    self.run = run
    uncleanStarts = max(0, slot.receivedAt)
    earlyEnds = Int(slot.ends)
    boot = slot.command.started
  }

  var slot: AttemptSlot {
    var slot = AttemptSlot(phase: .free, handler: Self.magic, event: run.rawValue, receivedAt: uncleanStarts)
    slot.ends = UInt32(clamping: earlyEnds)
    slot.command.started = boot
    return slot
  }
}

/// A file of slots, mapped into memory.
@safe final class MappedSlots: Sendable {
  private let count: Int
  // Mapped from `init` to `deinit`. Each slot is read and written by one owner at a time, which `AttemptFile` sees to.
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<AttemptSlot>

  /// Makes the file if it is missing, and makes it anew if it has another size.
  init(_ path: String, count: Int) throws(Errno) {
    self.count = count
    let size = count * MemoryLayout<AttemptSlot>.stride
    do {
      let file = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
      unsafe slots = try unsafe file.closeAfter {
        // Written and not only made longer: a store into a page that the disk has no room for would end the process.
        if try file.seek(offset: 0, from: .end) != size {
          try file.resize(to: 0)
          try file.writeAll(toAbsoluteOffset: 0, [UInt8](repeating: 0, count: size))
        }
        let pages = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { throw Errno(rawValue: errno) }
        // The kernel gives whole pages, which are aligned for anything.
        return unsafe pages.bindMemory(to: AttemptSlot.self, capacity: count)
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  deinit { unsafe _ = munmap(slots, count * MemoryLayout<AttemptSlot>.stride) }

  /// Where a slot's command writes what it is. Valid as long as this is.
  func note(of number: Int) -> UnsafeMutablePointer<command_note> {
    precondition(0..<count ~= number)
    // The offset of a stored property, which is there.
    let offset = MemoryLayout<AttemptSlot>.offset(of: \.command) ?? 0
    return unsafe (UnsafeMutableRawPointer(slots + number) + offset).assumingMemoryBound(to: command_note.self)
  }

  subscript(number: Int) -> AttemptSlot {
    get {
      precondition(0..<count ~= number)
      return unsafe slots[number]
    }
    set {
      precondition(0..<count ~= number)
      unsafe slots[number] = newValue
    }
    _modify {
      precondition(0..<count ~= number)
      yield unsafe &slots[number]
    }
  }
}
