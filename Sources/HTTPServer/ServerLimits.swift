public import HTTPMessage

/// What one listener grants its peers. Every bound that a peer can reach stands here with its reason.
public struct ServerLimits: Sendable, Equatable {
  /// Bytes and fields of one message.
  public var message = MessageLimits()
  /// Open connections; beyond them a new one is accepted and closed, so that the peer learns at once.
  public var connections = 4096
  /// From a request's first byte to the end of its head. Absolute: a byte a second does not extend it.
  public var headerTimeout: Duration = .seconds(10)
  /// From the end of the head to the end of the body. Absolute.
  public var bodyTimeout: Duration = .seconds(10)
  /// Between requests. Longer than the idle time of the proxies in front (nginx: 60 s), so that they close first and
  /// never write into a connection that we have just closed.
  public var idleTimeout: Duration = .seconds(75)
  /// From a reply's first unsent byte to its last.
  public var writeTimeout: Duration = .seconds(10)
  /// After an error reply we read and discard, so that a RST does not destroy the reply in the peer's receive buffer.
  /// Absolute; the bytes are bounded by `lingeringBytes`.
  public var lingeringTimeout: Duration = .seconds(2)
  /// A peer that still sends after this much is cut off.
  public var lingeringBytes = 262_144

  public init() {}
}

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
