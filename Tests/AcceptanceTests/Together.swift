import Foundation
import Testing

/// Tests the cases beside each other, each on a thread of its own: for those that mostly wait. An issue names its case.
func together<Case: Sendable>(
  _ cases: [Case], _ test: @escaping @Sendable (Case) throws -> Void
) async throws {
  guard let current = Test.current else { return }
  try await withThrowingTaskGroup(of: Void.self) { group in
    for each in cases {
      let naming = IssueHandlingTrait.compactMapIssues { issue in
        var issue = issue
        issue.comments.append("\(String(describingForTest: each))")
        return issue
      }
      group.addTask(executorPreference: ThreadExecutor()) {
        try await naming.provideScope(for: current, testCase: Test.Case.current) {
          do { try test(each) } catch { Issue.record(error) }
        }
      }
    }
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
