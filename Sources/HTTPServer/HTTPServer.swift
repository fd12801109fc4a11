package import Synchronization

/// One listener and the loops that serve it. Knows bytes, connections and deadlines; what a request means is its
/// responders' business.
package final class HTTPServer: Sendable {
  /// The real addresses, with the port that the kernel picked if 0 was asked for.
  package let addresses: [ListenAddress]
  package let counters = ServerCounters()
  private let loops: [EventLoop]
  private let sideLoop: EventLoop?

  /// Binds and listens.
  package convenience init(
    listen address: ListenAddress, limits: ServerLimits, loops count: Int, hasSideLoop: Bool = false, label: String
  ) throws(ListenError) {
    try self.init(try Listener(address), limits: limits, loops: count, hasSideLoop: hasSideLoop, label: label)
  }

  /// Listens; connections are accepted from `start` on.
  ///
  /// - Parameters:
  ///   - hasSideLoop: one more loop, to which responders move what takes long.
  ///   - label: names the queues in debuggers.
  ///   - acceptPaused: called on a loop, up to five times a second, when it cannot take connections for lack of
  ///     descriptors.
  package init(
    _ listener: Listener, limits: ServerLimits, loops count: Int, hasSideLoop: Bool = false, label: String,
    acceptPaused: @escaping @Sendable () -> Void = {}
  ) throws(ListenError) {
    addresses = listener.addresses
    var loops: [EventLoop] = []
    for index in 0..<max(1, count) {
      loops.append(
        try EventLoop(
          listener: listener, limits: limits, counters: counters, label: "\(label).\(index)", acceptPaused: acceptPaused
        ))
    }
    self.loops = loops
    sideLoop =
      hasSideLoop
      ? try EventLoop(
        listener: nil, limits: limits, counters: counters, label: "\(label).side", acceptPaused: acceptPaused) : nil
    for loop in loops { loop.sibling = sideLoop }
    sideLoop?.sibling = loops[0]
    try listener.listen()
  }

  /// `makeResponder` is called once per loop, on the loop's own queue.
  package func start(_ makeResponder: @escaping @Sendable (EventLoop) -> any Responder) {
    for loop in allLoops { loop.start(makeResponder) }
  }

  /// Stops listening, answers what is in flight and returns when every connection has ended. `abort` ends the wait.
  package func drain() async {
    await withTaskGroup { group in
      for loop in loops { group.addTask { await Self.drain(loop) } }
    }
    // After those that move connections there.
    if let sideLoop { await Self.drain(sideLoop) }
  }

  private static func drain(_ loop: EventLoop) async {
    await withCheckedContinuation { continuation in loop.post(.drain { continuation.resume() }) }
  }

  private var allLoops: [EventLoop] { loops + (sideLoop.map { [$0] } ?? []) }

  /// Has each loop call `answer` when it comes to it: a loop that hangs does not.
  package func ping(_ answer: @escaping @Sendable () -> Void) {
    for loop in allLoops { loop.post(.ping(answer: answer)) }
  }

  /// The first of the addresses.
  package var address: ListenAddress { addresses[0] }

  package var loopCount: Int { allLoops.count }

  /// Closes every connection at once. Ends a `drain` that waits.
  package func abort() {
    for loop in allLoops { loop.post(.abort) }
  }
}

/// What a listener counts; written by its loops, read by what shows metrics.
package final class ServerCounters: Sendable {
  /// Open now.
  package let connections = Atomic<Int>(0)
  /// Taken since the start.
  package let accepted = Atomic<Int>(0)
  /// Answers by status code, from 100 to 599.
  private let answers = InlineArray<500, Atomic<Int>> { _ in Atomic(0) }

  package init() {}

  func count(_ status: UInt16) {
    guard (100..<600).contains(status) else { return }
    answers[Int(status) - 100].wrappingAdd(1, ordering: .relaxed)
  }

  /// The codes that were sent at least once, in order.
  package var answersByStatus: [(code: Int, count: Int)] {
    answers.indices.compactMap { index in
      let count = answers[index].load(ordering: .relaxed)
      return count == 0 ? nil : (index + 100, count)
    }
  }
}
