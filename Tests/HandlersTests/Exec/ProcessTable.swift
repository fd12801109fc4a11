import Foundation

/// What /proc says of us and our children.
enum ProcessTable {
  /// Whether a process of this id is there and not just waiting to be reaped.
  static func isAlive(_ process: Int) -> Bool {
    state(process).map { $0.state != "Z" } ?? false
  }

  /// Children that ended and whose status was not asked for.
  static var zombies: Int {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.compactMap { Int($0).flatMap(state) }.filter { $0.state == "Z" && $0.parent == getpid() }.count
  }

  /// Our descriptors of the kinds that belong to children.
  static var childDescriptors: Int {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return numbers.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
      .filter { $0.contains("pipe:") || $0.contains("memfd:") || $0.contains("pidfd") }.count
  }

  private static func state(_ process: Int) -> (state: Substring, parent: Int)? {
    // pid (name) state parent …; the name may hold anything.
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[end...].dropFirst().split(separator: " ")
    guard fields.count > 1, let parent = Int(fields[1]) else { return nil }
    return (fields[0], parent)
  }
}
