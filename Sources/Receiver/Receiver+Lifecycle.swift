internal import Dispatch
internal import Foundation
internal import HTTPServer
internal import RevocationStore
internal import Storage
internal import Synchronization

/// From its start to its stop.
extension Receiver {
  enum Phase { case created, running, stopping, stopped }

  struct Lifecycle {
    var phase = Phase.created
    /// Resumed when it has stopped.
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  /// Accepts connections, and lets handlers begin. Does nothing the second time, and after `stop`.
  public func start() {
    lifecycle.withLock { lifecycle in
      guard lifecycle.phase == .created else { return }
      lifecycle.phase = .running
      // Under the lock: a stop that comes meanwhile must find everything begun, or what begins later would go on.
      begin()
    }
  }

  /// Starts, and returns once the receiver has stopped, which it does when the task is cancelled or `stop` is called.
  public func run() async throws {
    start()
    await withTaskCancellationHandler {
      await stopped()
    } onCancel: {
      Task { await stop() }
    }
  }

  private func stopped() async {
    await withCheckedContinuation { continuation in
      let isOver = lifecycle.withLock { lifecycle in
        if lifecycle.phase == .stopped { return true }
        lifecycle.waiters.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  private func begin() {
    publicServer.start { [context, path = configuration.path] loop in
      WebhookResponder(loop: loop, context: context, path: path)
    }
    if let privateServer { begin(privateServer) }
    gate.verification?.keys.start()
    // Behind the listeners: a handler that ends the process must not keep look-ups from being answered.
    dispatcher.start()
    pruner.start()
    webhookWatch?.start()
  }

  private func begin(_ privateServer: HTTPServer) {
    let readiness = Readiness(context) { [keys = gate.verification?.keys, context] in
      context.dynamic?.complaint ?? keys?.complaint
    } lanesRun: { [dispatcher] in
      dispatcher.isRunning
    }
    let pages = PrivatePages(
      readiness: readiness,
      metrics: MetricsPage(
        context: context, dispatcher: dispatcher, readiness: readiness, publicCounters: publicServer.counters,
        privateCounters: privateServer.counters),
      status: StatusReport(context, readiness), inspection: Inspection(context),
      history: History(context.metrics, now: context.now),
      files: PageFiles(needsToken: configuration.privateToken != nil))
    privateServer.start { [context, feed, gate, token = configuration.privateToken] loop in
      PrivateResponder(loop: loop, context: context, pages: pages, feedSignal: feed, token: token, gate: gate)
    }
  }

  /// Finishes what is in flight, requests and handlers' attempts, for at most the drain timeout, and closes everything.
  /// Readiness turns red first; what was acknowledged is on disk already, what handlers did not finish is offered again
  /// after the next start.
  ///
  /// Returns at once if the receiver was never started; its addresses are free when it is released. A second call
  /// returns with the first.
  public func stop() async {
    let phase = lifecycle.withLock { lifecycle in
      let phase = lifecycle.phase
      if phase == .created || phase == .running { lifecycle.phase = .stopping }
      return phase
    }
    switch phase {
    case .created:
      changes?.cancel()
      await close(by: ContinuousClock.now + configuration.drainTimeout)
    case .running:
      await finish()
    case .stopping, .stopped:
      return await stopped()
    }
    let waiters = lifecycle.withLock { lifecycle in
      lifecycle.phase = .stopped
      defer { lifecycle.waiters = [] }
      return lifecycle.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func finish() async {
    context.isDraining.store(true, ordering: .relaxed)
    gate.verification?.keys.stop()
    webhookWatch?.stop()
    pruner.stop()
    changes?.cancel()
    let deadline = ContinuousClock.now + configuration.drainTimeout
    await drain(publicServer, within: configuration.drainTimeout)
    await Self.wait(for: ContinuousClock.now.duration(to: deadline)) { [dispatcher] in await dispatcher.finish() }
    await close(by: deadline)
  }

  private func close(by deadline: ContinuousClock.Instant) async {
    // Nothing that hangs, be it a disk or a handler, keeps the process: whatever is not done yet was not acknowledged,
    // or is done again. Together with the drain timeout these stay below the 10 s that a supervisor waits.
    await Self.wait(for: .milliseconds(500)) { [inbox] in
      await withCheckedContinuation { continuation in inbox.close { continuation.resume() } }
    }
    await Self.wait(for: .milliseconds(500)) { [dispatcher] in await dispatcher.stop() }
    feed.close()
    embedded.close()
    // Look-ups are answered to the end: an application may still be asking whether it is safe to let a request through.
    if let privateServer, context.isDraining.load(ordering: .relaxed) {
      await drain(privateServer, within: .milliseconds(250))
    }
    // A slow disk may have what the drain left over: until the store is closed, nobody else can open it.
    await Self.wait(for: max(.milliseconds(500), ContinuousClock.now.duration(to: deadline))) { [self] in
      await aside { [context] in
        do throws(StoreError) {
          try context.store.close()
        } catch {
          context.logger.error(
            "closing the store failed; nothing acknowledged is lost", metadata: ["error": "\(error)"])
        }
      }
    }
    folderLock?.release()
  }

  private func drain(_ server: HTTPServer, within limit: Duration) async {
    await Self.wait(for: limit) { await server.drain() }
    server.abort()
  }

  /// Returns when the work is done or the time is up, whichever comes first.
  private static func wait(for limit: Duration, _ work: @escaping @Sendable () async -> Void) async {
    let (done, signal) = AsyncStream.makeStream(of: Void.self)
    Task {
      await work()
      signal.finish()
    }
    let alarm = Task {
      try await Task.sleep(for: limit)
      signal.finish()
    }
    // In a task of its own: the one that stops the receiver may have been cancelled, and a loop ends with that.
    await Task { for await _ in done {} }.value
    alarm.cancel()
  }
}
