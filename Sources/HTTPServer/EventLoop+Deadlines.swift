extension EventLoop {
  /// Deadlines are looked at together, at most this often: a scan costs a comparison a connection.
  private static let scanInterval: UInt64 = 50_000_000

  /// Ends what has run out of time and finds the next deadline. Deadlines move with every request; the scan visits them
  /// only when the earliest known one has come, so that moving one costs nothing.
  func expire(asOf time: UInt64, _ round: inout Round) {
    nextDeadline = .max
    for case let connection? in connections where connection.state.deadline <= time { timeOut(connection, &round) }
    for case let connection? in connections { nextDeadline = min(nextDeadline, connection.state.deadline) }
    if acceptResumesAt <= time { startAccepting() }
    nextDeadline = max(min(nextDeadline, acceptResumesAt), now &+ Self.scanInterval)
    if openConnections == 0, acceptResumesAt == .max { nextDeadline = .max }
  }

  /// Takes no more connections, lets requests that have begun end, and closes the others.
  func drain(_ finished: @escaping @Sendable () -> Void, _ round: inout Round) {
    stopAccepting()
    listener = nil
    acceptResumesAt = .max
    drained = finished
    for case let connection? in connections {
      // A request that has arrived already is still answered.
      if connection.state.phase == .idle, connection.state.isReading { receive(connection, &round) }
      // Its reply, and those that others wait for, go out before anything is closed.
      sendPostponed(&round)
      connection.state.close()
      if connection.state.phase == .finishing, connection.output.isEmpty { close(connection) }
    }
    if openConnections == 0, drained != nil {
      drained = nil
      finished()
      finish()
    }
  }

  /// Closes everything, whatever is under way.
  func abort() {
    isAborted = true
    for case let connection? in connections { close(connection) }
  }
}
