internal import Dispatch

/// Runs one attempt after the other on a queue of its own. The threads that all tasks share are as many as there are cores: a few handlers
/// that block instead of suspending would stop every other lane, and whoever embeds the receiver.
final class LaneExecutor: TaskExecutor {
  // Serial, because Dispatch always has a thread for a serial queue, and lets concurrent ones wait for each other.
  private let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A job runs once, here; the task that has it keeps it and its executor alive until then.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
