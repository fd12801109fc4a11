internal import Synchronization

/// One listener and the loops that serve it. Knows bytes, connections and deadlines; what a request means is its responders' business.
package final class HTTPServer: Sendable {
  /// The real address, with the port that the kernel picked if 0 was asked for.
  package let address: ListenAddress
  package let counters = ServerCounters()
  private let loops: [EventLoop]

  /// Binds and listens; connections are accepted from `start` on. `label` names the queues in debuggers. `acceptPaused` is called on a loop,
  /// up to five times a second, when it cannot take connections for lack of descriptors.
  package init(
    listen: ListenAddress, limits: ServerLimits, loops count: Int, label: String,
    acceptPaused: @escaping @Sendable () -> Void = {}
  ) throws(ListenError) {
    let listener = try Listener(listen)
    address = listener.address
    var loops: [EventLoop] = []
    for index in 0..<max(1, count) {
      loops.append(
        try EventLoop(
          listener: listener, limits: limits, counters: counters, label: "\(label).\(index)", acceptPaused: acceptPaused
        ))
    }
    self.loops = loops
  }

  /// `makeResponder` is called once per loop, on the loop's own queue.
  package func start(_ makeResponder: @escaping @Sendable (EventLoop) -> any Responder) {
    for loop in loops { loop.start(makeResponder) }
  }

  /// Stops listening, answers what is in flight and returns when every connection has ended. `abort` ends the wait.
  package func drain() async {
    await withTaskGroup { group in
      for loop in loops {
        group.addTask {
          await withCheckedContinuation { continuation in loop.post(.drain { continuation.resume() }) }
        }
      }
    }
  }

  /// Has each loop call `answer` when it comes to it: a loop that hangs does not.
  package func ping(_ answer: @escaping @Sendable () -> Void) {
    for loop in loops { loop.post(.ping(answer: answer)) }
  }

  package var loopCount: Int { loops.count }

  /// Closes every connection at once. Ends a `drain` that waits.
  package func abort() {
    for loop in loops { loop.post(.abort) }
  }
}
