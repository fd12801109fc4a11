internal import HTTPMessage
internal import Synchronization

/// A connection on its way to another loop, with the request that is to be answered there.
struct MovingConnection: Sendable {
  let socket: Int32
  let state: ConnectionState
  let isHead: Bool
  let isHTTP10: Bool
  let head: [UInt8]
  let body: [UInt8]
  /// What was read behind the request.
  let backlog: [UInt8]
  /// Earlier replies that the socket has not taken yet.
  let output: [UInt8]
}

/// Requests whose answers take long go to a loop of their own, so that they hold up no others. Which they are is
/// known once they are read, so their connections move there, and back for another kind of request.
extension EventLoop {
  /// A loop that drains keeps what it has: the other one may be gone by the time that the connection gets there.
  package var canMove: Bool { sibling != nil && (drained == nil || !isSide) }

  /// The last step with the connection on this loop.
  func move(_ connection: Connection, _ request: Connection.Moving) {
    guard let sibling else { return close(connection) }
    poller.remove(connection.socket)
    sibling.post(
      .adopt(
        MovingConnection(
          socket: connection.socket, state: connection.state, isHead: connection.isHead, isHTTP10: connection.isHTTP10,
          head: request.head, body: request.body, backlog: connection.backlog,
          output: Array(connection.output.dropFirst(connection.outputOffset)))))
    release(connection)
  }

  func adopt(_ moving: MovingConnection, _ round: inout Round) {
    let connection = Connection(
      socket: moving.socket, id: nextID(), state: moving.state, limits: limits.message)
    connection.isHead = moving.isHead
    connection.isHTTP10 = moving.isHTTP10
    connection.backlog = moving.backlog
    connection.output = moving.output
    connection.request = 1
    add(connection)
    guard poller.register(connection.socket, .read, token: connection.id.token), !isAborted,
      (try? round.head.parse(moving.head.span, limits: limits.message)) == .complete
    else { return close(connection) }
    if drained != nil { connection.state.close() }
    respond(moving.head.span, moving.body.span, connection, &round)
    // Also without a reply: what is left of earlier ones goes out.
    send(connection, &round.output)
    resume(connection, &round)
    nextDeadline = min(nextDeadline, connection.state.deadline)
  }
}
