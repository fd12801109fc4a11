#if PostgreSQL
  internal import CLinux
  internal import DynamicEvents
  internal import Glibc
  internal import PostgreSQL
  internal import Storage
  internal import Synchronization

  /// The look-ups of one event loop: the questions of a round go out as one statement, over a connection that is the
  /// loop's own and never blocks it. Answers count only under the read lease.
  final class PipelinedLookUps: RemoteLookUps {
    private struct Question {
      var sessions: [SessionID]
      var answer: (Result<[SessionID: Revocation], StoreError>) -> Void
    }

    private struct Batch {
      var questions: [Question] = []
      /// How many sessions its questions have.
      var count = 0
      var deadline = Deadline(nanoseconds: 0)
    }

    /// Sessions in one statement: then the server does little else meanwhile.
    private static let mostInBatch = 4096
    /// Sessions that wait or are asked for; beyond it the server does not keep up.
    private static let mostWaiting = 32_768
    private static let patience = Duration.milliseconds(900)
    private static let pause = Duration.milliseconds(100)

    let descriptor: CInt
    private let node: Node
    private let lease: ReadLease
    private let cutOffs: CutOffs
    private let location: String
    private let mailbox: Mailbox
    private let observer: Int
    private var line: NodeConnection?
    private var statement = ""
    private var wantsToWrite = false
    /// Cut-offs up to this number are known from this connection's server. Another one may have given out the same
    /// numbers to others.
    private var covered: Int64 = 0
    /// What the loop asked in this round.
    private var round = Batch()
    /// What no connection was there for yet, or what was asked while a statement is under way: it goes with the next
    /// one, since a statement costs the server as much as many sessions in it.
    private var unsent: [Batch] = []
    /// What was sent and is not answered yet.
    private var sent: Batch?
    private var waiting = 0
    private var isConnecting = false
    /// What was sent is lost, as `descriptorReady` is to say.
    private var isLost = false
    private var connectAgainAt: Deadline?
    /// Nobody would learn that an answer has come.
    private var isDeaf = false

    /// - Parameter descriptor: what is waited for; -1: there was none left, and every question fails at once.
    init(_ store: PostgreSQLStore, _ lease: ReadLease, descriptor: CInt = epoll_create1(CInt(EPOLL_CLOEXEC))) {
      node = store.node
      cutOffs = store.cutOffs
      location = store.location
      self.lease = lease
      self.descriptor = descriptor
      let mailbox = Mailbox()
      self.mailbox = mailbox
      observer = node.observe { mailbox.ring() }
      isDeaf = !control(EPOLL_CTL_ADD, mailbox.descriptor, EPOLLIN)
      if !isDeaf { connect() }
    }

    deinit {
      node.forget(observer)
      if descriptor >= 0 { close(descriptor) }
    }

    // MARK: Questions

    func revocation(of session: SessionID, _ answer: @escaping (Result<Revocation?, StoreError>) -> Void) {
      ask([session]) { result in answer(result.map { $0[session] }) }
    }

    func revoked(of sessions: [SessionID], _ answer: @escaping (Result<[SessionID], StoreError>) -> Void) {
      ask(sessions) { result in answer(result.map { revoked in sessions.filter { revoked[$0] != nil } }) }
    }

    func standings(
      of tokens: [TokenClaims], at now: Timestamp, _ answer: @escaping (Result<[TokenStanding], StoreError>) -> Void
    ) {
      var sessions: [SessionID] = []
      sessions.reserveCapacity(tokens.count)
      for token in tokens {
        sessions.append(token.sid)
        if let original = token.originalSid { sessions.append(original) }
      }
      ask(sessions) { [cutOffs] result in
        answer(
          result.map { revoked in
            tokens.map { token in
              if revoked[token.sid] != nil { return .revoked }
              if let original = token.originalSid, revoked[original] != nil { return .revoked }
              return cutOffs.refuses(token, at: now) ? .cutOff : .good
            }
          })
      }
    }

    private func ask(
      _ sessions: [SessionID], _ answer: @escaping (Result<[SessionID: Revocation], StoreError>) -> Void
    ) {
      guard !isDeaf else {
        return answer(.failure(.unreachable(path: location, cause: "no file descriptor was left for look-ups")))
      }
      guard waiting + sessions.count <= Self.mostWaiting else {
        return answer(.failure(.unreachable(path: location, cause: "too many look-ups wait for the server")))
      }
      if round.count + sessions.count > Self.mostInBatch { roundEnded() }
      waiting += sessions.count
      round.count += sessions.count
      round.questions.append(Question(sessions: sessions, answer: answer))
    }

    func roundEnded() {
      guard !round.questions.isEmpty else { return }
      if let last = unsent.indices.last, unsent[last].count + round.count <= Self.mostInBatch {
        unsent[last].questions += round.questions
        unsent[last].count += round.count
      } else {
        round.deadline = .after(Self.patience)
        unsent.append(round)
      }
      round = Batch()
      send()
    }

    // MARK: The connection

    var deadline: UInt64 {
      let next = [sent?.deadline, unsent.first?.deadline, connectAgainAt].compactMap { $0 }.min()
      guard let next else { return .max }
      // The loop's clock stands still while the machine sleeps; a deadline then comes late by as much.
      let now = Deadline.now
      // Before any time that the loop took as its own a moment ago.
      guard now < next else { return 0 }
      var time = timespec()
      // Cannot fail for a clock that the kernel has.
      unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
      let monotonic = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
      return monotonic + (next.nanoseconds - now.nanoseconds)
    }

    func descriptorReady() {
      for result in mailbox.take() { connected(result) }
      if let line, isLost || !line.isUsable { lost() }
      if line != nil { receive() }
      if let sent, sent.deadline.hasPassed {
        // A server that does not answer is none.
        if let line { node.end(line.generation) }
        lost()
      }
      while let first = unsent.first, first.deadline.hasPassed {
        unsent.removeFirst()
        fail(first)
      }
      if let time = connectAgainAt, time.hasPassed { connect() }
      if line != nil { send() }
    }

    private func connect() {
      guard !isConnecting, line == nil else { return }
      isConnecting = true
      connectAgainAt = nil
      let mailbox = mailbox
      node.connect { result in
        mailbox.give(
          result.flatMap { line in
            do {
              let statement = try line.use { connection in
                let deadline = Deadline.after(Node.patience)
                try connection.execute("SET plan_cache_mode = force_generic_plan", until: deadline)
                let name = try connection.prepare(LookUpStatement.sql, until: deadline)
                try connection.enterPipeline()
                return name
              }
              return .success((line, statement))
            } catch {
              return .failure(error as? PostgreSQLError ?? PostgreSQLError(.unreachable, "\(error)"))
            }
          })
      }
    }

    private func connected(_ result: Result<(NodeConnection, String), PostgreSQLError>) {
      isConnecting = false
      guard case .success(let (line, statement)) = result, line.isUsable else {
        return connectAgainAt = .after(Self.pause)
      }
      guard control(EPOLL_CTL_ADD, line.connection.descriptor, EPOLLIN) else {
        return connectAgainAt = .after(Self.pause)
      }
      self.line = line
      self.statement = statement
      wantsToWrite = false
      covered = 0
    }

    /// What was asked is not known any more; a new connection is made.
    private func lost() {
      if let line, line.connection.isOpen {
        control(EPOLL_CTL_DEL, line.connection.descriptor, EPOLLIN)
        line.connection.close()
      }
      line = nil
      isLost = false
      if let batch = sent {
        sent = nil
        fail(batch)
      }
      connect()
    }

    private func fail(_ batch: Batch) {
      waiting -= batch.count
      for question in batch.questions {
        question.answer(.failure(.unreachable(path: location, cause: "the server does not answer look-ups")))
      }
    }

    /// Calls no answer: a failure is left to `descriptorReady`, which is called at once.
    private func send() {
      guard let line, !isLost else { return }
      do {
        try line.use { connection in
          if sent == nil, let batch = unsent.first {
            let parameters = LookUpStatement.parameters(batch.questions.flatMap(\.sessions), covered: covered)
            try connection.send(prepared: statement, parameters)
            sent = unsent.removeFirst()
          }
          try flush(connection)
        }
      } catch {
        isLost = true
        mailbox.ring()
      }
    }

    private func flush(_ connection: Connection) throws(PostgreSQLError) {
      let isDone = try connection.flush()
      guard isDone == wantsToWrite else { return }
      wantsToWrite = !isDone
      let both = EPOLL_EVENTS(EPOLLIN.rawValue | EPOLLOUT.rawValue)
      control(EPOLL_CTL_MOD, connection.descriptor, isDone ? EPOLLIN : both)
    }

    private func receive() {
      guard let line else { return }
      do {
        var answered: (batch: Batch, revoked: [SessionID: Revocation])?
        defer { if let answered { answer(answered.batch, answered.revoked, line.generation) } }
        try line.use { connection in
          try connection.consume()
          try flush(connection)
          while let rows = try connection.next() {
            guard let batch = sent else {
              connection.close()
              throw PostgreSQLError(.unexpected, "the server answers what was not asked")
            }
            do throws(PostgreSQLError) {
              let (revoked, newest) = try LookUpStatement.read(rows, cutOffs)
              covered = max(covered, newest)
              (sent, answered) = (nil, (batch, revoked))
            } catch {
              connection.close()
              throw error
            }
          }
        }
      } catch {
        lost()
      }
    }

    private func answer(_ batch: Batch, _ revoked: [SessionID: Revocation], _ generation: Int) {
      waiting -= batch.count
      let isValid = lease.covers(generation)
      for question in batch.questions {
        question.answer(isValid ? .success(revoked) : .failure(.leaseEnded(path: location)))
      }
    }

    /// Returns whether the kernel does it.
    @discardableResult
    private func control(_ operation: CInt, _ other: CInt, _ events: EPOLL_EVENTS) -> Bool {
      var event = unsafe epoll_event()
      unsafe event.events = events.rawValue
      // The event lives for the call.
      return unsafe epoll_ctl(descriptor, operation, other, &event) == 0
    }
  }

  /// Where the connecting thread leaves what it made, and wakes the loop.
  private final class Mailbox: Sendable {
    typealias Result = Swift.Result<(NodeConnection, String), PostgreSQLError>

    let descriptor: CInt
    private let results = Mutex<[Result]>([])

    init() {
      descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func give(_ result: Result) {
      results.withLock { $0.append(result) }
      ring()
    }

    func ring() { _ = eventfd_write(descriptor, 1) }

    func take() -> [Result] {
      var count: eventfd_t = 0
      unsafe _ = eventfd_read(descriptor, &count)
      return results.withLock { results in
        defer { results = [] }
        return results
      }
    }
  }
#endif
