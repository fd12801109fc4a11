internal import Foundation

/// The right to mount, and to make networks.
package enum Administrator {
  /// Whether a test that needs it is to fail where it cannot run, and not to be skipped: in CI, by a process that has
  /// the capability CAP_SYS_ADMIN.
  package static let isExpected: Bool = {
    guard ProcessInfo.processInfo.environment["CI"] == "true",
      let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
      let capabilities = line.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) })
    else { return false }
    return capabilities >> 21 & 1 == 1
  }()
}
