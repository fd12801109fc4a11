internal import Foundation

extension URL {
  /// Whether the host is this one or an IPv4 address of a private network (RFC 1918). What a name stands for may change, so that no other
  /// name counts.
  var isPrivate: Bool {
    guard let host = host()?.lowercased() else { return false }
    if host == "localhost" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    // "010" is 8 for some and 10 for others.
    let numbers = parts.compactMap { $0 == "0" || !$0.hasPrefix("0") ? UInt8($0) : nil }
    guard parts.count == 4, numbers.count == 4, !host.contains("+") else { return false }
    return switch (numbers[0], numbers[1]) {
    case (127, _), (10, _), (192, 168), (172, 16...31): true
    default: false
    }
  }
}
