internal import Dispatch
package import HTTPMessage
internal import Synchronization

/// A Dispatch serial queue, woken by ONE read source on its own epoll descriptor, which then drains `epoll_wait`
/// itself.
///
/// Not a source per connection: on Linux one manager thread re-arms every source through `epoll_ctl`, and a
/// registration of a peer that resets can be lost with its descriptor. An epoll descriptor never hangs up and is never
/// reused.
///
/// `@unchecked Sendable`: `mailbox`, `wake` and the constants may be used from anywhere; every other property is
/// touched on `queue` only.
package final class EventLoop: @unchecked Sendable {
  enum Message: Sendable {
    /// Made on the loop.
    case answers(@Sendable () -> [(exchange: Exchange, response: Response)])
    case adopt(MovingConnection)
    case wakeResponder
    case drain(finished: @Sendable () -> Void)
    case abort
    /// Whether the loop still turns.
    case ping(answer: @Sendable () -> Void)
  }

  private struct Mailbox {
    enum Post { case first, further, refused }

    var messages: [Message] = []
    /// The loop is over.
    var isClosed = false
  }

  /// How long the loop stays in `epoll_wait` before it returns its thread to Dispatch. A closed-loop client's next
  /// request comes sooner than that, and Dispatch's way back costs more than the request itself. Longer than a tick of
  /// the kernel's clock: a wait that may end before the next tick has the processor's timer set for it each time the
  /// loop falls asleep.
  private static let lingerMilliseconds: Int32 = 50

  private static let roundsBeforeDeadlines = 64

  package let limits: ServerLimits
  let timeouts: Timeouts
  let counters: ServerCounters
  /// Called when descriptors or memory ran out and no connection is taken for a while.
  let acceptPaused: @Sendable () -> Void
  private let queue: DispatchQueue
  private let wake: WakeUp
  private let mailbox = Mutex(Mailbox())

  let poller: Poller
  private var source: (any DispatchSourceRead)?
  private var timer: (any DispatchSourceTimer)?
  private var timerDeadline = UInt64.max
  private(set) var responder: (any Responder)?
  /// The responder has a descriptor, which is waited for, and a deadline.
  private var waitsForResponder = false

  /// Whether this is the loop for what takes long.
  package let isSide: Bool
  /// The side loop, or the main loop to go back to. Set before the start.
  weak var sibling: EventLoop?
  /// nil for a side loop.
  var listener: Listener?
  /// When a listener that ran out of descriptors is asked again; `.max`: it is listening.
  var acceptResumesAt = UInt64.max
  var connections: [Connection?] = []
  var freeSlots: [Int32] = []
  var generation: UInt32 = 0
  var openConnections = 0
  var drained: (@Sendable () -> Void)?
  /// What still arrives is closed.
  var isAborted = false

  /// The time of the present round.
  package internal(set) var now = SystemCall.monotonicNow()
  /// No connection's deadline lies before this.
  var nextDeadline = UInt64.max
  private var dateSecond = 0
  /// The Date field of this second.
  var date: [UInt8] = []

  /// What every read goes into first: a connection that waits for nothing holds no buffer.
  var scratch = [UInt8](repeating: 0, count: 65_536)
  /// nil while the loop turns.
  private var round: Round? = Round()
  /// The part at hand of a body that is made while it is sent.
  var part: [UInt8] = []

  /// - Parameter listener: nil makes a side loop.
  init(
    listener: Listener?, limits: ServerLimits, counters: ServerCounters, label: String,
    acceptPaused: @escaping @Sendable () -> Void
  ) throws(ListenError) {
    self.listener = listener
    isSide = listener == nil
    self.acceptPaused = acceptPaused
    self.limits = limits
    timeouts = Timeouts(limits)
    self.counters = counters
    poller = try Poller()
    wake = poller.wake
    // Without a class: where the process may, Dispatch gives the better ones a better nice value, and then each first
    // byte interrupts the very peer that was about to send more. The loop handles one request, sleeps and is woken for
    // the next.
    queue = DispatchQueue(label: label)
  }

  func start(_ makeResponder: @escaping @Sendable (EventLoop) -> any Responder) {
    queue.async { [self] in
      let responder = makeResponder(self)
      self.responder = responder
      if let descriptor = responder.descriptor {
        // Where the kernel has no room for it, answers still come at the responder's deadlines.
        waitsForResponder = true
        _ = poller.register(descriptor, .read, token: Poller.responderToken)
      }
      let source = DispatchSource.makeReadSource(fileDescriptor: poller.descriptor, queue: queue)
      let timer = DispatchSource.makeTimerSource(queue: queue)
      self.source = source
      self.timer = timer
      // Both handlers keep the loop alive until `finish` cancels the sources.
      source.setEventHandler { self.turn() }
      timer.setEventHandler {
        self.timerDeadline = .max
        self.turn()
      }
      startAccepting()
      source.activate()
      timer.schedule(deadline: .distantFuture)
      timer.activate()
    }
  }

  /// Answers requests that were promised an answer. From any thread; one call for a whole batch, since each wakes the
  /// loop.
  package func answer(_ answers: [(exchange: Exchange, response: Response)]) {
    post(.answers { answers })
  }

  /// The same, with answers that are made on the loop, where nothing else waits for the work.
  package func answer(making answers: @escaping @Sendable () -> [(exchange: Exchange, response: Response)]) {
    post(.answers(answers))
  }

  /// Has the responder's `woken` called. From any thread.
  package func wakeResponder() {
    post(.wakeResponder)
  }

  func post(_ message: Message) {
    let post = mailbox.withLock { mailbox -> Mailbox.Post in
      if mailbox.isClosed { return .refused }
      mailbox.messages.append(message)
      return mailbox.messages.count == 1 ? .first : .further
    }
    switch post {
    case .first: wake.signal()
    case .further: break
    case .refused: refuse(message)
    }
  }

  /// The loop is over: what waits for it must not wait for ever.
  private func refuse(_ message: Message) {
    switch message {
    case .drain(let finished): finished()
    case .adopt(let connection):
      counters.connections.wrappingSubtract(1, ordering: .relaxed)
      SystemCall.close(connection.socket)
    case .answers, .wakeResponder, .abort, .ping: break
    }
  }

  private func turn() {
    guard var round = round.take() else { return }
    turn(&round)
    self.round = consume round
  }

  /// Handles what is ready until nothing comes for a while.
  private func turn(_ round: inout Round) {
    var fullRounds = 0
    now = SystemCall.monotonicNow()
    while source != nil {
      let asked = now
      let count = poller.wait(milliseconds: Self.lingerMilliseconds)
      beginRound()
      for index in 0..<count { handle(poller.event(at: index), &round) }
      if waitsForResponder, let responder, responder.deadline <= now { deliver(responder.descriptorReady(), &round) }
      if count > 0 { responder?.roundEnded() }
      sendPostponed(&round)
      // After a pause of the whole process, requests that came in time wait in the sockets behind deadlines that have
      // passed: they are read first. So the time that counts is the one before the wait, which reports all that had
      // come by then; the pause may lie between the wait and the clock. A flood that never ends does not postpone
      // deadlines for ever.
      fullRounds = count == Poller.capacity ? fullRounds + 1 : 0
      if asked >= nextDeadline, fullRounds % Self.roundsBeforeDeadlines == 0 {
        expire(asOf: asked, &round)
        // What was answered may have let the next request of its connection in.
        if count == 0 { responder?.roundEnded() }
      }
      if count == 0 { break }
    }
    armTimer()
  }

  private func beginRound() {
    now = SystemCall.monotonicNow()
    let second = SystemCall.wallClockSeconds()
    guard second != dateSecond || date.isEmpty else { return }
    dateSecond = second
    date = HTTPDate.field(secondsSince1970: second)
  }

  private func handle(_ event: Poller.Event, _ round: inout Round) {
    switch event.token {
    case Poller.wakeToken:
      readMailbox(&round)
    case Poller.responderToken:
      deliver(responder?.descriptorReady() ?? [], &round)
    case Self.listenerTokens:
      accept(event.token)
    default:
      guard let connection = connection(ConnectionID(token: event.token)) else { return }
      handle(event, connection, &round)
    }
  }

  private func readMailbox(_ round: inout Round) {
    let messages = mailbox.withLock { mailbox in
      let all = mailbox.messages
      mailbox.messages.removeAll(keepingCapacity: true)
      return all
    }
    for message in messages {
      switch message {
      case .answers(let make): deliver(make(), &round)
      case .adopt(let connection): adopt(connection, &round)
      case .wakeResponder: deliver(responder?.woken() ?? [], &round)
      case .drain(let finished): drain(finished, &round)
      case .abort: abort()
      case .ping(let answer): answer()
      }
    }
  }

  private func deliver(_ answers: [(exchange: Exchange, response: Response)], _ round: inout Round) {
    for (exchange, response) in answers { deliver(response, to: exchange, &round) }
  }

  /// The timer only matters while nothing else wakes the loop; it is moved when it would come too late, and otherwise
  /// left.
  private func armTimer() {
    let deadline = waitsForResponder ? min(nextDeadline, responder?.deadline ?? .max) : nextDeadline
    guard deadline < timerDeadline, let timer else { return }
    timerDeadline = deadline
    timer.schedule(deadline: DispatchTime(uptimeNanoseconds: deadline), leeway: .milliseconds(50))
  }

  /// The loop is over: without sources nothing keeps it alive.
  func finish() {
    source?.cancel()
    timer?.cancel()
    source = nil
    timer = nil
    responder = nil
    let missed = mailbox.withLock { mailbox in
      mailbox.isClosed = true
      return mailbox.messages
    }
    for message in missed { refuse(message) }
  }
}
