internal import Dispatch

/// A lane's thread. Serial, because Dispatch always has a thread for a serial queue, and lets concurrent ones wait for
/// each other.
final class LaneExecutor: SerialExecutor {
  fileprivate let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A job runs once, here; the task or actor that has it keeps it and its executor alive until then.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}

/// Runs attempts on a queue, one at a time. The threads that all tasks share are as many as there are cores: a few
/// handlers that block instead of suspending would stop every other lane, and the program that embeds the receiver.
///
/// Not one with the lane's: to a task the runtime says that it is on the right thread only where both of its executors
/// are the ones it asked for. Otherwise each `await` would queue it anew.
final class AttemptExecutor: TaskExecutor {
  private let lane: LaneExecutor

  init(_ lane: LaneExecutor) {
    self.lane = lane
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // As above.
    lane.queue.async {
      unsafe job.runSynchronously(
        isolatedTo: self.lane.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
    }
  }
}
