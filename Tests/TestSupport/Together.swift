internal import Foundation

/// Tests the cases beside each other, each on a thread of its own: for those that mostly wait.
package func together<Case: Sendable>(
  _ cases: [Case], _ test: @escaping @Sendable (Case) throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for each in cases { group.addTask(executorPreference: ThreadExecutor()) { try test(each) } }
    try await group.waitForAll()
  }
}

private final class ThreadExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A job runs once, here; the task that has it keeps it and its executor alive until then.
    Thread.detachNewThread { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
