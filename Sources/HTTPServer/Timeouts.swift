/// A listener's limits on time, in nanoseconds. Reckoned once: a `Duration` has 128 bits, and dividing them costs every
/// request.
struct Timeouts {
  let header: UInt64
  let body: UInt64
  let idle: UInt64
  let write: UInt64
  let lingering: UInt64

  init(_ limits: ServerLimits) {
    header = limits.headerTimeout.nanoseconds
    body = limits.bodyTimeout.nanoseconds
    idle = limits.idleTimeout.nanoseconds
    write = limits.writeTimeout.nanoseconds
    lingering = limits.lingeringTimeout.nanoseconds
  }
}

extension Duration {
  /// Nanoseconds, cut to what a deadline can hold.
  fileprivate var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, seconds < 1 << 32 else { return seconds < 0 ? 0 : 1 << 62 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
  }
}
