#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  internal import Storage

  /// The questions of one loop that have no answer yet. One statement is under way at a time: what is asked meanwhile,
  /// or while there is no connection, goes together in the next one, since a statement costs the server as much as many
  /// sessions in it.
  struct LookUpQueue {
    struct Question {
      var sessions: [SessionID]
      var answer: (Result<[SessionID: Revocation], StoreError>) -> Void
    }

    /// Of one statement.
    struct Batch {
      var questions: [Question] = []
      /// How many sessions its questions have.
      var count = 0
      var deadline = Deadline(nanoseconds: 0)
    }

    /// Sessions in one statement: then the server does little else meanwhile.
    private static let mostInBatch = 4096
    /// Sessions that wait or are asked for; beyond it the server does not keep up.
    private static let mostWaiting = 32_768
    private static let patience = Duration.milliseconds(900)

    /// What the loop asked in this round.
    private var round = Batch()
    private var unsent: [Batch] = []
    private(set) var sent: Batch?
    /// How many sessions all of them have.
    private var count = 0

    /// Returns false, and does not take it, when too many wait.
    mutating func ask(_ question: Question) -> Bool {
      guard count + question.sessions.count <= Self.mostWaiting else { return false }
      if round.count + question.sessions.count > Self.mostInBatch { _ = endRound() }
      count += question.sessions.count
      round.count += question.sessions.count
      round.questions.append(question)
      return true
    }

    /// Returns whether anything was asked in it.
    mutating func endRound() -> Bool {
      guard !round.questions.isEmpty else { return false }
      if let last = unsent.indices.last, unsent[last].count + round.count <= Self.mostInBatch {
        unsent[last].questions += round.questions
        unsent[last].count += round.count
      } else {
        round.deadline = .after(Self.patience)
        unsent.append(round)
      }
      round = Batch()
      return true
    }

    /// What is to be sent now; nil: nothing, or a statement is under way.
    var next: Batch? { sent == nil ? unsent.first : nil }

    mutating func nextWasSent() { sent = unsent.removeFirst() }

    /// Its questions are about to be answered.
    mutating func takeSent() -> Batch? {
      count -= sent?.count ?? 0
      return sent.take()
    }

    /// What has waited for too long without being sent.
    mutating func takeOverdue() -> Batch? {
      guard unsent.first?.deadline.hasPassed == true else { return nil }
      let batch = unsent.removeFirst()
      count -= batch.count
      return batch
    }

    /// Of the first that is to be answered.
    var deadline: Deadline? { [sent, unsent.first].compactMap { $0?.deadline }.min() }
  }
#endif
