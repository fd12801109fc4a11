/// Replies of a round go out together at its end, as redis does it: a peer that sleeps is woken once for all of them. Woken by the first reply, it would
/// sleep again before the second is there, and to wake it costs more than to send.
extension EventLoop {
  /// Longer replies go at once, so that what a round holds back is a megabyte at most.
  private static let longest = 4096

  /// Only for a connection that has nothing else to send and nothing left to read: until the round's end nothing happens to it.
  func postpone(_ connection: Connection) {
    guard !output.isEmpty, output.count <= Self.longest, connection.output.isEmpty else { return send(connection) }
    connection.isPostponed = true
    postponed.append((connection, output))
    output = spareOutputs.popLast() ?? []
  }

  /// In the order in which they were made. `output` must be empty.
  func sendPostponed() {
    guard !postponed.isEmpty else { return }
    postponed.reverse()
    while var reply = postponed.popLast() {
      reply.connection.isPostponed = false
      guard reply.connection.isOpen else { continue }
      swap(&output, &reply.bytes)
      // One that grew for a long reply is let go.
      if reply.bytes.capacity <= 2 * Self.longest { spareOutputs.append(reply.bytes) }
      send(reply.connection)
      nextDeadline = min(nextDeadline, reply.connection.state.deadline)
    }
  }
}
