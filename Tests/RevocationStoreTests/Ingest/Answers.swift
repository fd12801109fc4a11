import Dispatch
import Storage
import Synchronization

@testable import RevocationStore

/// Collects what an inbox answers, by the number of the submission.
final class Answers: Sendable {
  typealias Answer = Result<[AppendOutcome], StoreError>

  private let answers = Mutex<[Int: [Answer]]>([:])
  private let group = DispatchGroup()

  /// Submits, and answers whether the batch was taken. The completion is then waited for by `wait`.
  func submit(_ batch: [IncomingEvent], to inbox: Inbox, as number: Int) -> Bool {
    group.enter()
    let taken = inbox.submit(batch) { answer in
      self.answers.withLock { $0[number, default: []].append(answer) }
      self.group.leave()
    }
    if !taken { group.leave() }
    return taken
  }

  /// Every answer that each submission got, once none is outstanding.
  func wait() -> [Int: [Answer]] {
    group.wait()
    return answers.withLock { $0 }
  }

  var now: [Int: [Answer]] { answers.withLock { $0 } }
}
