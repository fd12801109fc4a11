/// What a connection may do next, and until when. A pure value: events and the time go in, the shell acts on what comes out.
///
///     reading ──whole request──▶ answering ──answer sent──▶ reading │ lingering │ closed
///        └──malformed, too slow──▶ (error reply) ──────────────────▶ lingering ▶ closed
///
/// Deadlines are absolute per phase, in nanoseconds of the monotonic clock: nothing that a peer sends postpones them.
struct ConnectionState {
  enum Phase: Equatable {
    /// Between requests.
    case idle
    /// A head has begun.
    case head
    case body
    /// The responder has the request. No deadline: the responder answers when the disk does.
    case answering
    /// A reply waits for the peer to take it. Nothing is read meanwhile.
    case writing
    /// The last reply is out and our side is shut down; what still comes is discarded.
    case lingering
  }

  /// What to do when a reply has left entirely.
  enum Afterwards: Equatable {
    case read
    /// Everything that the peer sent was read: closing loses nothing.
    case close
    /// Unread bytes would turn `close` into a RST, and that destroys the reply in the peer's buffer (RFC 9112 §9.6).
    case linger
  }

  private(set) var phase = Phase.idle
  private(set) var deadline: UInt64
  private(set) var afterwards = Afterwards.read
  private let limits: ServerLimits

  init(now: UInt64, limits: ServerLimits) {
    self.limits = limits
    deadline = now &+ limits.headerTimeout.nanoseconds
  }

  var isReading: Bool {
    switch phase {
    case .idle, .head, .body: true
    case .answering, .writing, .lingering: false
    }
  }

  /// The input is used up and a request is under way.
  mutating func headBegan(now: UInt64) {
    guard phase == .idle else { return }
    phase = .head
    deadline = now &+ limits.headerTimeout.nanoseconds
  }

  mutating func bodyBegan(now: UInt64) {
    phase = .body
    deadline = now &+ limits.bodyTimeout.nanoseconds
  }

  mutating func requestEnded(keepsAlive: Bool) {
    phase = .answering
    deadline = .max
    afterwards = keepsAlive ? .read : .close
  }

  /// An error reply, or an early refusal: unread bytes may be on their way.
  mutating func failed() {
    phase = .answering
    afterwards = .linger
  }

  /// The server drains, or the peer has ended its side: this answer is the last.
  mutating func close() {
    if afterwards == .read { afterwards = .close }
  }

  /// The reply did not fit into the socket's buffer.
  mutating func stalled(now: UInt64) {
    guard phase != .writing else { return }
    phase = .writing
    deadline = now &+ limits.writeTimeout.nanoseconds
  }

  /// The reply is out.
  mutating func flushed(now: UInt64) -> Afterwards {
    switch afterwards {
    case .read:
      phase = .idle
      deadline = now &+ limits.idleTimeout.nanoseconds
    case .linger:
      phase = .lingering
      deadline = now &+ limits.lingeringTimeout.nanoseconds
    case .close:
      break
    }
    return afterwards
  }
}

extension Duration {
  /// Nanoseconds, cut to what a deadline can hold.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, seconds < 1 << 32 else { return seconds < 0 ? 0 : 1 << 62 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
  }
}
