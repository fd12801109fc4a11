internal import HTTPMessage

/// What a loop works with while it turns. A local of `EventLoop.turn` that is lent from call to call, and no property
/// of the loop: the runtime tracks every use of an object's property that a call has been lent, and a local's not.
struct Round: ~Copyable {
  /// The head at hand.
  var head = RequestHead()
  /// What the request at hand is answered with, before it goes out in one write.
  var output: [UInt8] = []
  /// Replies that go out at the round's end.
  var postponed: [(connection: Connection, bytes: [UInt8])] = []
  /// Buffers to answer into while others wait: a round's worth at most.
  var spareOutputs: [[UInt8]] = []
}

extension EventLoop {
  /// Sends what `output` holds for this connection, and empties it.
  func send(_ connection: Connection, _ output: inout [UInt8]) {
    if connection.output.isEmpty {
      guard !output.isEmpty else { return }
      switch SystemCall.send(connection.socket, output, from: 0) {
      case .bytes(output.count): output.removeAll(keepingCapacity: true)
      case .bytes(let sent):
        connection.output = Array(output[sent...])
        output.removeAll(keepingCapacity: true)
        return stall(connection)
      case .wouldBlock:
        connection.output = output
        output.removeAll(keepingCapacity: true)
        return stall(connection)
      case .failed:
        output.removeAll(keepingCapacity: true)
        return close(connection)
      }
      return sent(connection)
    }
    // Earlier replies still wait: this one goes behind them.
    connection.output.append(contentsOf: output)
    output.removeAll(keepingCapacity: true)
    flush(connection)
  }

  func flush(_ connection: Connection) {
    switch SystemCall.send(connection.socket, connection.output, from: connection.outputOffset) {
    case .bytes(let sent): connection.outputOffset += sent
    case .wouldBlock: break
    case .failed: return close(connection)
    }
    guard connection.outputOffset == connection.output.count else { return stall(connection) }
    connection.output = []
    connection.outputOffset = 0
    sent(connection)
  }

  private func stall(_ connection: Connection) {
    connection.state.stalled(now: now)
    watch(connection)
  }

  /// Every reply that was made is out.
  func sent(_ connection: Connection) {
    switch connection.state.flushed(now: now) {
    case .read: break
    case .close: return close(connection)
    case .linger:
      SystemCall.shutdownWriting(connection.socket)
      connection.backlog = []
      connection.reader.finish()
    }
    // The socket may have taken the last part whole and have no room for another: that is a peer that stopped reading
    // too.
    if connection.stream != nil { connection.state.stalled(now: now) }
    watch(connection)
  }
}

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

/// A body that is being sent, after the parts that its connection has taken.
struct BodyStream {
  let body: any ResponseBody
  let isChunked: Bool
}

extension EventLoop {
  /// Encodes the head and the first part. The connection stays `answering` until the last part is made, so that no
  /// pipelined request comes in between.
  func beginStream(_ response: Response, _ rest: any ResponseBody, _ connection: Connection, _ output: inout [UInt8]) {
    let isChunked = !connection.isHTTP10
    if !isChunked {
      connection.state.close()
      connection.endsBody = true
    }
    response.encodeStart(
      into: &output, date: date, connection: connection.option, isChunked: isChunked, withoutBody: connection.isHead)
    if connection.isHead { return connection.state.answered(now: now) }
    connection.state.wait(until: .max)
    connection.stream = BodyStream(body: rest, isChunked: isChunked)
  }

  /// The peer's socket has taken everything so far: makes the next part. One a round, so that a long body holds up no
  /// other connection, and never before the last one is out, so that a slow reader costs one part.
  ///
  /// The write deadline holds for each part: a body of any length may take its time, a peer that stops reading may not.
  func continueStream(_ connection: Connection, _ round: inout Round) {
    guard let stream = connection.stream else { return }
    part.removeAll(keepingCapacity: true)
    let progress = stream.body.appendNext(to: &part)
    Response.append(part.span, to: &round.output, isChunked: stream.isChunked)
    switch progress {
    case .more: break
    case .last:
      connection.stream = nil
      if stream.isChunked { round.output.append(contentsOf: Response.lastChunk) }
      connection.state.answered(now: now)
    case .failed:
      round.output.removeAll(keepingCapacity: true)
      return close(connection)
    }
    // An empty part counts as taken: the socket had room.
    if round.output.isEmpty { sent(connection) } else { send(connection, &round.output) }
  }
}
