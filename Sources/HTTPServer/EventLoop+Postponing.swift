/// Replies of a round go out together at its end, as redis does it: a peer that sleeps is woken once for all of them.
/// Woken by the first reply, it would sleep again before the second is there, and to wake it costs more than to send.
extension EventLoop {
  /// Longer replies go at once, so that what a round holds back is a megabyte at most.
  private static let longest = 4096

  /// Only for a connection that has nothing else to send and nothing left to read: until the round's end nothing
  /// happens to it.
  func postpone(_ connection: Connection, _ round: inout Round) {
    guard !round.output.isEmpty, round.output.count <= Self.longest, connection.output.isEmpty else {
      return send(connection, &round.output)
    }
    round.postponed.append((connection, round.output))
    round.output = round.spareOutputs.popLast() ?? []
  }

  /// In the order in which they were made.
  func sendPostponed(_ round: inout Round) {
    guard !round.postponed.isEmpty else { return }
    round.postponed.reverse()
    while var reply = round.postponed.popLast() {
      guard reply.connection.isOpen else { continue }
      send(reply.connection, &reply.bytes)
      // One that grew for a long reply is let go.
      if reply.bytes.capacity <= 2 * Self.longest { round.spareOutputs.append(reply.bytes) }
      nextDeadline = min(nextDeadline, reply.connection.state.deadline)
    }
  }
}
