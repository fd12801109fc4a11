internal import Dispatch
internal import Glibc
internal import Receiver
internal import Synchronization

/// Tells the service manager twice in each `$WATCHDOG_USEC` that the server lives (sd_watchdog_enabled(3)): not that this timer runs, but that the
/// writer and every loop have answered since it last asked.
final class Watchdog: Sendable {
  private let isAsking = Atomic(false)
  private let receiver: Receiver
  private let queue = DispatchQueue(label: "revoked.watchdog")
  // Kept so that the timer stays alive, and cancelled once; touched by nobody else.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// nil when the service manager does not watch this process.
  init?(_ receiver: Receiver, microseconds: String?, pid: String?) {
    guard let microseconds = microseconds.flatMap({ Int($0) }), microseconds > 0, microseconds < 1 << 50,
      pid == nil || pid == "\(getpid())"
    else { return nil }
    self.receiver = receiver
    unsafe timer = DispatchSource.makeTimerSource(queue: queue)
    unsafe timer.setEventHandler { [weak self] in self?.ask() }
    unsafe timer.schedule(
      deadline: .now(), repeating: .microseconds(max(1, microseconds / 2)), leeway: .milliseconds(10))
    unsafe timer.activate()
  }

  deinit { unsafe timer.cancel() }

  private func ask() {
    // One that has no answer yet is not asked again: whoever hangs would only collect questions.
    guard !isAsking.exchange(true, ordering: .relaxed) else { return }
    // Away from the loop that answers last: a service manager that does not read must not stop it.
    receiver.whenAlive { [self] in queue.async { self.tell() } }
  }

  private func tell() {
    ServiceNotification.send("WATCHDOG=1")
    isAsking.store(false, ordering: .relaxed)
  }
}
