public import HTTPMessage
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

/// What one listener grants its peers. Every bound that a peer can reach stands here with its reason.
public struct ServerLimits: Sendable, Equatable {
  /// Bytes and fields of one message.
  public var message = MessageLimits()
  /// Open connections; beyond them a new one is accepted and closed, so that the peer learns at once.
  public var connections = 4096
  /// From a request's first byte to the end of its head. Absolute: a byte a second does not extend it.
  public var headerTimeout: Duration = .seconds(10)
  /// From the end of the head to the end of the body. Absolute.
  public var bodyTimeout: Duration = .seconds(10)
  /// Between requests. Longer than the idle time of the proxies in front (nginx: 60 s), so that they close first and
  /// never write into a connection that we have just closed.
  public var idleTimeout: Duration = .seconds(75)
  /// From a reply's first unsent byte to its last.
  public var writeTimeout: Duration = .seconds(10)
  /// After an error reply we read and discard, so that a RST does not destroy the reply in the peer's receive buffer.
  /// Absolute; the bytes are bounded by `lingeringBytes`.
  public var lingeringTimeout: Duration = .seconds(2)
  /// A peer that still sends after this much is cut off.
  public var lingeringBytes = 262_144

  public init() {}
}

/// A listener's limits on time, in nanoseconds. Reckoned once: a `Duration` has 128 bits, and dividing them costs every
/// request.
struct Timeouts {
  let header: UInt64
  let body: UInt64
  let idle: UInt64
  let write: UInt64
  let lingering: UInt64

  init(_ limits: ServerLimits) {
    header = limits.headerTimeout.nanoseconds
    body = limits.bodyTimeout.nanoseconds
    idle = limits.idleTimeout.nanoseconds
    write = limits.writeTimeout.nanoseconds
    lingering = limits.lingeringTimeout.nanoseconds
  }
}

extension Duration {
  /// Nanoseconds, cut to what a deadline can hold.
  fileprivate var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, seconds < 1 << 32 else { return seconds < 0 ? 0 : 1 << 62 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
  }
}
