internal import HTTPMessage

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
