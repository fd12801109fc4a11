internal import DynamicEvents
internal import SQLite
internal import Storage

/// The writing of one handler's rows, inside a transaction: a thousand a second where all fails.
struct DeliveryRows {
  /// What is kept of an error's text.
  private static let longestError = 500

  private let handler: Int64
  private let upsert: Statement
  private let delete: Statement

  init(_ db: Connection, handler: Int64) throws {
    self.handler = handler
    upsert = try db.statement(
      """
      INSERT INTO delivery (handler_id, event_seq, attempts, attempted_at, next_at, last_error, attempt_times)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (handler_id, event_seq) DO UPDATE SET attempts = excluded.attempts,
        attempted_at = excluded.attempted_at, next_at = excluded.next_at, last_error = excluded.last_error,
        attempt_times = \(AttemptTimes.appending)
      """)
    delete = try db.statement("DELETE FROM delivery WHERE handler_id = ? AND event_seq = ?")
  }

  func record(_ attempt: Attempt) throws {
    switch attempt.outcome {
    case .delivered:
      try delete.bind(handler, at: 1)
      try delete.bind(attempt.event, at: 2)
      try delete.run()
    case .failed(let error, let retryAt): try write(attempt, nextAt: retryAt, error: error)
    case .dead(let error): try write(attempt, nextAt: nil, error: error)
    case .claimed: try write(attempt, nextAt: attempt.at, error: "the attempt had not ended", isOver: false)
    }
  }

  private func write(_ attempt: Attempt, nextAt: Timestamp?, error: String, isOver: Bool = true) throws {
    try upsert.bind(handler, at: 1)
    try upsert.bind(attempt.event, at: 2)
    try upsert.bind(Int64(attempt.number), at: 3)
    try upsert.bind(attempt.at.milliseconds, at: 4)
    if let nextAt { try upsert.bind(nextAt.milliseconds, at: 5) } else { try upsert.bindNull(at: 5) }
    try upsert.bind(String(error.prefix(Self.longestError)), at: 6)
    try upsert.bind(isOver ? "\(attempt.at.milliseconds)" : "", at: 7)
    try upsert.run()
  }
}

extension AttemptTimes {
  /// What an update sets, in SQL: one more, or none. Read and written in Swift, it would take a second statement a row.
  static let appending = """
    CASE WHEN excluded.attempt_times = '' THEN attempt_times ELSE
      CASE WHEN length(attempt_times) - length(replace(attempt_times, ' ', '')) >= \(most - 1)
        THEN substr(attempt_times, instr(attempt_times, ' ') + 1) ELSE attempt_times END
      || CASE attempt_times WHEN '' THEN '' ELSE ' ' END || excluded.attempt_times END
    """
}
