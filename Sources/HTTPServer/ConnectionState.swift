/// What a connection may do next, and until when. A pure value: events and the time go in, the shell acts on what comes
/// out.
///
///     idle ─▶ head ─▶ body ─▶ answering ─▶ idle …
///               └────────┴──▶ (error reply)  └─▶ finishing ─▶ lingering ─▶ closed
///
/// A reply that the peer has not taken yet has a deadline of its own beside the phase: pipelined requests may be under
/// way behind it. Deadlines are absolute, in nanoseconds of the monotonic clock: nothing that a peer sends postpones
/// them.
struct ConnectionState {
  enum Phase: Equatable {
    /// Between requests.
    case idle
    /// A head has begun.
    case head
    case body
    /// The responder owes an answer. No deadline but the responder's own: it answers when the disk does.
    case answering
    /// The last reply is made.
    case finishing
    /// The last reply is out and our side is shut down; what still comes is discarded.
    case lingering
  }

  /// What follows the answer that is owed.
  enum Afterwards: Equatable {
    case read
    /// Nothing unread is known of: closing loses nothing.
    case close
    /// Unread bytes would turn `close` into a RST, and that destroys the reply in the peer's buffer (RFC 9112 §9.6).
    case linger
  }

  private(set) var phase = Phase.idle
  private(set) var afterwards = Afterwards.read
  private var phaseDeadline: UInt64
  private var writeDeadline = UInt64.max
  private let timeouts: Timeouts

  init(now: UInt64, timeouts: Timeouts) {
    self.timeouts = timeouts
    phaseDeadline = now &+ timeouts.header
  }

  var deadline: UInt64 { min(phaseDeadline, writeDeadline) }

  /// A peer that does not take its replies is not read from.
  var isReading: Bool {
    guard writeDeadline == .max else { return false }
    switch phase {
    case .idle, .head, .body: return true
    case .answering, .finishing, .lingering: return false
    }
  }

  /// The input is used up and a request is under way.
  mutating func headBegan(now: UInt64) {
    guard phase == .idle else { return }
    phase = .head
    phaseDeadline = now &+ timeouts.header
  }

  mutating func bodyBegan(now: UInt64) {
    phase = .body
    phaseDeadline = now &+ timeouts.body
  }

  mutating func requestEnded(keepsAlive: Bool) {
    phase = .answering
    phaseDeadline = .max
    afterwards = keepsAlive ? .read : .close
  }

  /// The responder waits for something, but no longer than that.
  mutating func wait(until deadline: UInt64) {
    if phase == .answering { phaseDeadline = deadline }
  }

  /// An error reply, or a response that does not wait for the body, is next: unread bytes may be on their way.
  mutating func failed() {
    phase = .answering
    phaseDeadline = .max
    afterwards = .linger
  }

  /// The peer sent on after its last request.
  mutating func hasUnreadInput() {
    if afterwards == .close { afterwards = .linger }
  }

  /// The answer is made, though perhaps not sent.
  mutating func answered(now: UInt64) {
    guard afterwards == .read else { return phase = .finishing }
    phase = .idle
    phaseDeadline = now &+ timeouts.idle
  }

  /// The server drains: no request after the present one. Between requests there is none, and what is written is the
  /// end.
  mutating func close() {
    if phase == .idle { phase = .finishing }
    if afterwards == .read { afterwards = .close }
  }

  /// The replies did not fit into the socket's buffer.
  mutating func stalled(now: UInt64) {
    if writeDeadline == .max { writeDeadline = now &+ timeouts.write }
  }

  /// All replies that were made are out. Returns what is to be done now; `.read` also while an answer is still owed.
  mutating func flushed(now: UInt64) -> Afterwards {
    writeDeadline = .max
    guard phase == .finishing else { return .read }
    if afterwards == .linger {
      phase = .lingering
      phaseDeadline = now &+ timeouts.lingering
    }
    return afterwards
  }

  /// Time is up: whether it is the responder's, and not the peer's to take a reply.
  func isWaiting(now: UInt64) -> Bool {
    phase == .answering && writeDeadline > now
  }

  /// Time is up: whether the peer is slow with a request, and should be told.
  func deservesTimeoutReply(now: UInt64) -> Bool {
    writeDeadline > now && (phase == .head || phase == .body)
  }
}
