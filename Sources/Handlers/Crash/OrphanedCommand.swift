internal import Glibc

/// A command whose server was killed while it ran.
enum OrphanedCommand {
  /// Kills the command and its process group, if it is still there: its event is about to be attempted again. The time it
  /// started at tells it from another process that has its number by now.
  static func end(_ process: Int32, startedAt time: UInt64) {
    guard process > 1, time > 0, startTime(of: process) == time else { return }
    // A group of its own, which it leads.
    kill(-process, SIGKILL)
  }

  /// In clock ticks since the system began; nil if there is no such process.
  static func startTime(of process: Int32) -> UInt64? {
    guard let text = ProcText.read("/proc/\(process)/stat") else { return nil }
    // pid (name) state …; the name may hold anything. The time is the 22nd field.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[end...].split(separator: " ")
    return fields.count > 20 ? UInt64(fields[20]) : nil
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
