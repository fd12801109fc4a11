internal import Glibc
internal import Synchronization

extension EventLoop {
  /// Those of a listener's sockets, the first of them last.
  static let listenerTokens = (UInt64.max - 128)...(UInt64.max - 1)
  /// A pause long enough that connections end meanwhile, short enough that no client gives up.
  private static let acceptPause: UInt64 = 200_000_000
  /// Connections taken in one round, so that a flood of new ones does not starve those that are open.
  private static let acceptsPerRound = 64

  func startAccepting() {
    guard let listener else { return }
    acceptResumesAt = .max
    for (index, descriptor) in listener.descriptors.enumerated() {
      guard poller.register(descriptor, .accept, token: Self.listenerTokens.upperBound - UInt64(index)) else {
        return pauseAccepting()
      }
    }
  }

  /// - Parameter token: of the socket that has connections.
  func accept(_ token: UInt64) {
    let index = Int(Self.listenerTokens.upperBound - token)
    guard let listener, listener.descriptors.indices.contains(index) else { return }
    for _ in 0..<Self.acceptsPerRound {
      switch SystemCall.accept(listener.descriptors[index]) {
      case .bytes(let descriptor): open(Int32(truncatingIfNeeded: descriptor))
      case .wouldBlock: return
      case .failed(EMFILE), .failed(ENFILE), .failed(ENOBUFS), .failed(ENOMEM):
        // The listener stays readable: without a pause the loop would spin until a descriptor is free.
        return pauseAccepting()
      case .failed:
        // That connection failed (ECONNABORTED and the network errors that accept(2) lists); the next one may not.
        continue
      }
    }
  }

  private func pauseAccepting() {
    stopAccepting()
    acceptResumesAt = now &+ Self.acceptPause
    acceptPaused()
    nextDeadline = min(nextDeadline, acceptResumesAt)
  }

  func stopAccepting() {
    for descriptor in listener?.descriptors ?? [] { poller.remove(descriptor) }
  }

  private func open(_ socket: Int32) {
    // Over the limit: closed at once, so that the peer knows and tries elsewhere.
    guard counters.connections.load(ordering: .relaxed) < limits.connections else { return SystemCall.close(socket) }
    let connection = Connection(
      socket: socket, id: nextID(), state: ConnectionState(now: now, timeouts: timeouts), limits: limits.message)
    counters.connections.wrappingAdd(1, ordering: .relaxed)
    counters.accepted.wrappingAdd(1, ordering: .relaxed)
    add(connection)
    guard poller.register(socket, .read, token: connection.id.token) else { return close(connection) }
    SystemCall.disableDelay(socket)
    nextDeadline = min(nextDeadline, connection.state.deadline)
  }

  /// Of the next connection.
  func nextID() -> ConnectionID {
    generation &+= 1
    if let free = freeSlots.popLast() { return ConnectionID(slot: free, generation: generation) }
    connections.append(nil)
    return ConnectionID(slot: Int32(truncatingIfNeeded: connections.count - 1), generation: generation)
  }

  func add(_ connection: Connection) {
    connections[Int(connection.id.slot)] = connection
    openConnections += 1
  }

  /// nil when the connection is gone, even if another has its slot.
  func connection(_ id: ConnectionID) -> Connection? {
    let slot = Int(id.slot)
    guard connections.indices.contains(slot), let connection = connections[slot], connection.id == id
    else { return nil }
    return connection
  }

  func close(_ connection: Connection) {
    guard connection.isOpen else { return }
    // A body that ends with its connection and is cut looks whole, unless the connection is reset.
    if connection.endsBody, connection.stream != nil || !connection.output.isEmpty {
      SystemCall.resetOnClose(connection.socket)
    }
    SystemCall.close(connection.socket)
    counters.connections.wrappingSubtract(1, ordering: .relaxed)
    release(connection)
  }

  /// Forgets the connection, whose socket is closed or another loop's.
  func release(_ connection: Connection) {
    connection.isOpen = false
    if connection.isWaiting { responder?.gone(connection.exchange) }
    connections[Int(connection.id.slot)] = nil
    freeSlots.append(connection.id.slot)
    openConnections -= 1
    if openConnections == 0, let drained {
      self.drained = nil
      drained()
      finish()
    }
  }
}

extension ConnectionID {
  init(token: UInt64) {
    self.init(slot: Int32(truncatingIfNeeded: token), generation: UInt32(truncatingIfNeeded: token >> 32))
  }

  /// A slot is never negative: bit 31 tells these tokens from the two at the top of the range.
  var token: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: slot)) }
}

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
