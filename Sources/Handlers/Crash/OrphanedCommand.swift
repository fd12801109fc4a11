internal import CSpawn
internal import Foundation
internal import Glibc

/// A command whose server was killed while it ran.
struct OrphanedCommand {
  private static let patience: Duration = .seconds(1)

  private let process: Int32

  /// nil: it has ended, or there was none. The time it began tells it from another process that has its number by now.
  init?(_ note: command_note) {
    process = note.process
    guard process > 1, let found = ProcText.process(process), !found.hasEnded else { return nil }
    // The kernel's time is rounded down to 10 ms. The note is written a moment after.
    guard note.started >= found.start, note.started - found.start < 1_000_000_000 else { return nil }
  }

  /// Kills the commands with their process groups, and returns when they have ended: their events are about to be
  /// attempted again.
  static func end(_ orphans: [OrphanedCommand]) {
    if orphans.isEmpty { return }
    // Groups of their own, which they lead.
    for orphan in orphans { kill(-orphan.process, SIGKILL) }
    let groups = Set(orphans.map(\.process))
    let deadline = ContinuousClock.now + patience
    while ProcText.isAlive(anyOf: groups), .now < deadline { usleep(1000) }
  }
}

/// Which run of the kernel this is: numbers of processes mean nothing in another one.
enum BootID {
  /// 0 if the kernel does not say, as no run has.
  static var current: UInt64 {
    let text = ProcText.read("/proc/sys/kernel/random/boot_id") ?? ""
    return UInt64(text.prefix(19).filter { $0 != "-" }, radix: 16) ?? 0
  }
}

private enum ProcText {
  /// Whether a process of one of these groups is there and not just waiting to be reaped.
  static func isAlive(anyOf groups: Set<Int32>) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.contains { name in
      guard let number = Int32(name), let found = process(number) else { return false }
      return !found.hasEnded && groups.contains(found.group)
    }
  }

  /// `start`: in nanoseconds since the system began, rounded down. Returns nil if there is no such process.
  static func process(_ number: Int32) -> (hasEnded: Bool, group: Int32, start: UInt64)? {
    guard let text = read("/proc/\(number)/stat") else { return nil }
    // pid (name) state …; the name may hold anything. The time is the 22nd field, in hundredths of a second.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 20, let group = Int32(fields[3]), let ticks = UInt64(fields[20]) else { return nil }
    return (["Z", "X"].contains(fields[1]), group, ticks.multipliedReportingOverflow(by: 10_000_000).partialValue)
  }

  /// The beginning of a file that the kernel makes.
  static func read(_ path: String) -> String? {
    // The strings and the buffer live for the calls.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
  }
}
