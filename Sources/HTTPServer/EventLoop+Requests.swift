internal import HTTPMessage

extension EventLoop {
  /// Replies that pile up behind one another are sent before more requests are read.
  private static let outputBound = 65_536

  func handle(_ event: Poller.Event, _ connection: Connection, _ round: inout Round) {
    if event.isWritable {
      if !connection.output.isEmpty { flush(connection) } else { continueStream(connection, &round) }
      resume(connection, &round)
    }
    guard connection.isOpen else { return }
    if event.isReadable {
      switch connection.state.phase {
      case .idle, .head, .body: connection.state.isReading ? receive(connection, &round) : watch(connection)
      case .lingering: receive(connection, &round)
      case .answering, .finishing:
        // Pipelined bytes, or the end of the stream: they wait in the socket. Only a peer that does this pays for the
        // call.
        guard !event.isHungUp else { return close(connection) }
        if event.isEnded { interrupt(connection, &round) }
        if connection.isOpen { watch(connection) }
      }
    } else if event.isHungUp {
      close(connection)
    }
    nextDeadline = min(nextDeadline, connection.state.deadline)
  }

  func receive(_ connection: Connection, _ round: inout Round) {
    // Taken out while it is lent: the runtime tracks the uses of a property that a call has been lent, and a local
    // variable's not.
    var received = scratch
    scratch = []
    defer { scratch = received }
    switch SystemCall.receive(connection.socket, into: &received) {
    case .bytes(0), .failed: close(connection)
    case .wouldBlock: return
    case .bytes(let count) where connection.state.phase == .lingering:
      connection.discarded += count
      if connection.discarded > limits.lingeringBytes { close(connection) }
    case .bytes(let count):
      process(received.span.extracting(0..<min(count, received.count)), connection, &round)
    }
  }

  /// Answers the requests in `input`, one after another, until one must wait. What is behind that one waits as well.
  private func process(_ input: Span<UInt8>, _ connection: Connection, _ round: inout Round) {
    var offset = 0
    repeat {
      offset = answer(input, from: offset, connection, &round)
      if offset < input.count { connection.state.hasUnreadInput() }
      if offset == input.count, connection.state.phase == .idle {
        postpone(connection, &round)
      } else {
        send(connection, &round.output)
      }
    } while offset < input.count && connection.isOpen && connection.state.isReading
    if offset < input.count, connection.isOpen, connection.state.afterwards == .read {
      connection.backlog.append(contentsOf: input.extracting(offset..<input.count))
    }
    if connection.isOpen, let request = connection.moving { move(connection, request) }
  }

  /// Goes on with what `process` left behind, once nothing is in its way.
  func resume(_ connection: Connection, _ round: inout Round) {
    guard connection.isOpen, connection.state.isReading, !connection.backlog.isEmpty else { return }
    let backlog = connection.backlog
    connection.backlog = []
    process(backlog.span, connection, &round)
  }

  /// As many requests as are in `input` from `start` on, may be answered now, and have answers that fit into one write.
  /// Returns where it ended.
  private func answer(
    _ input: Span<UInt8>, from start: Int, _ connection: Connection, _ round: inout Round
  ) -> Int {
    var offset = start
    while offset < input.count, connection.state.isReading, round.output.count < Self.outputBound {
      let rest = input.extracting(offset..<input.count)
      do throws(RequestError) {
        let (consumed, event) = try connection.reader.next(rest, head: &round.head)
        offset += consumed
        switch event {
        case .needsMore: connection.state.headBegan(now: now)
        case .head, .tooLarge: beginBody(connection, event, isLast: offset == input.count, &round)
        case .request(let body, inStorage: false):
          begin(connection, round.head)
          respond(rest.extracting(0..<round.head.byteCount), rest.extracting(body), connection, &round)
        case .request(let body, inStorage: true):
          let storage = connection.reader.storage
          begin(connection, round.head)
          respond(
            storage.span.extracting(0..<round.head.byteCount), storage.span.extracting(body), connection, &round)
          connection.reader.finish()
        }
      } catch {
        fail(connection, error, rest, &round.output)
      }
    }
    return offset
  }

  private func beginBody(
    _ connection: Connection, _ event: RequestReader.Event, isLast: Bool, _ round: inout Round
  ) {
    note(round.head, connection)
    connection.state.bodyBegan(now: now)
    let storage = connection.reader.storage
    connection.request &+= 1
    let reply = responder?.earlyReply(to: round.head, storage.span, exchange: connection.exchange)
    if case .now(let response)? = reply {
      connection.state.failed()
      encode(response, connection, &round.output)
    } else if case .later(let deadline)? = reply {
      connection.state.failed()
      wait(connection, until: deadline)
    } else if event == .tooLarge {
      fail(connection, .contentTooLarge, [UInt8]().span, &round.output)
    } else if round.head.expectsContinue, isLast {
      // RFC 9110 §10.1.1: left out when content is already there.
      round.output.append(contentsOf: Response.continue)
    }
  }

  private func begin(_ connection: Connection, _ head: borrowing RequestHead) {
    note(head, connection)
    connection.request &+= 1
    connection.state.requestEnded(keepsAlive: head.keepsAlive && drained == nil)
  }

  /// The request's head stands in `round`; `bytes` are its.
  func respond(_ bytes: Span<UInt8>, _ body: Span<UInt8>, _ connection: Connection, _ round: inout Round) {
    switch responder?.respond(to: round.head, bytes, body: body, exchange: connection.exchange) {
    case .now(let response): encode(response, connection, &round.output)
    case .later(let deadline): wait(connection, until: deadline)
    case .elsewhere: connection.moving = Connection.Moving(head: bytes.copy, body: body.copy)
    case nil: break
    }
  }

  private func wait(_ connection: Connection, until deadline: UInt64) {
    guard deadline < .max else { return }
    connection.isWaiting = true
    connection.state.wait(until: deadline)
  }

  /// The request waits for something, and its peer or its deadline does not want to wait on.
  private func interrupt(_ connection: Connection, _ round: inout Round) {
    connection.state.wait(until: .max)
    guard connection.state.phase == .answering, connection.stream == nil,
      let response = responder?.interrupted(connection.exchange)
    else { return }
    deliver(response, to: connection.exchange, &round)
  }

  private func note(_ head: borrowing RequestHead, _ connection: Connection) {
    connection.isHead = head.method == .head
    connection.isHTTP10 = head.minorVersion == 0
  }

  /// - Parameter input: what came last, and begins the request if nothing was gathered of it.
  private func fail(
    _ connection: Connection, _ error: RequestError, _ input: Span<UInt8>, _ output: inout [UInt8]
  ) {
    let storage = connection.reader.storage
    responder?.refused(error, storage.isEmpty ? input : storage.span)
    connection.isHead = false
    connection.state.failed()
    encode(Response(problem: error.status, detail: error.detail), connection, &output)
  }

  /// The answer to a request that the responder kept.
  func deliver(_ response: Response, to exchange: Exchange, _ round: inout Round) {
    guard let connection = connection(exchange.connection), connection.exchange == exchange,
      connection.state.phase == .answering, connection.stream == nil
    else { return }
    if drained != nil { connection.state.close() }
    encode(response, connection, &round.output)
    send(connection, &round.output)
    resume(connection, &round)
    nextDeadline = min(nextDeadline, connection.state.deadline)
  }

  /// After it the connection reads on, unless this was its last answer.
  private func encode(_ response: Response, _ connection: Connection, _ output: inout [UInt8]) {
    connection.isWaiting = false
    counters.count(response.status.code)
    if let rest = response.rest { return beginStream(response, rest, connection, &output) }
    response.encode(into: &output, date: date, connection: connection.option, withoutBody: connection.isHead)
    connection.state.answered(now: now)
  }

  /// A request that did not arrive in time.
  func timeOut(_ connection: Connection, _ round: inout Round) {
    if connection.state.isWaiting(now: now) { return interrupt(connection, &round) }
    guard connection.state.deservesTimeoutReply(now: now) else { return close(connection) }
    fail(connection, .timeout, [UInt8]().span, &round.output)
    send(connection, &round.output)
  }

  /// Tells epoll what the present phase waits for, if that has changed.
  func watch(_ connection: Connection) {
    var interest: Poller.Interest = connection.output.isEmpty && connection.stream == nil ? [] : .write
    switch connection.state.phase {
    case .idle, .head, .body: if connection.state.isReading { interest.insert(.read) }
    case .lingering: interest.insert(.read)
    case .answering, .finishing: break
    }
    guard interest != connection.interest else { return }
    connection.interest = interest
    if !poller.change(connection.socket, interest, token: connection.id.token) { close(connection) }
  }
}

extension Span<UInt8> {
  fileprivate var copy: [UInt8] {
    var copy: [UInt8] = []
    copy.append(contentsOf: self)
    return copy
  }
}
