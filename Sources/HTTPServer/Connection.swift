internal import HTTPMessage

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

/// One connection's belongings. Touched by its loop only.
final class Connection {
  /// A request, its head and its content.
  struct Moving {
    let head: [UInt8]
    let body: [UInt8]
  }

  let socket: Int32
  let id: ConnectionID
  var state: ConnectionState
  var reader: RequestReader
  /// Read, but not looked at yet: the request before it is not answered. At most one read's worth.
  var backlog: [UInt8] = []
  /// The part of a reply that the socket did not take yet, from `outputOffset` on.
  var output: [UInt8] = []
  var outputOffset = 0
  /// Makes what follows `output`.
  var stream: BodyStream?
  /// The body that is being sent ends with the connection, as nothing else tells its end.
  var endsBody = false
  /// The responder named a time for the request at hand, and is told if the connection goes before.
  var isWaiting = false
  /// The request at hand is to be answered on the other loop.
  var moving: Moving?
  var interest = Poller.Interest.read
  /// Counts the requests: the one under way, or the last.
  var request: UInt32 = 0
  /// Facts of the request under way that shape its answer.
  var isHead = false
  var isHTTP10 = false
  var discarded = 0
  /// False once the socket is closed: its number may be another file's by then.
  var isOpen = true

  init(socket: Int32, id: ConnectionID, state: ConnectionState, limits: MessageLimits) {
    self.socket = socket
    self.id = id
    self.state = state
    reader = RequestReader(limits: limits)
  }

  var exchange: Exchange { Exchange(connection: id, request: request) }

  /// Says what the response must say of its connection.
  var option: ConnectionOption? {
    if state.afterwards != .read { return .close }
    return isHTTP10 ? .keepAlive : nil
  }
}
