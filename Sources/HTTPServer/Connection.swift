internal import HTTPMessage

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
