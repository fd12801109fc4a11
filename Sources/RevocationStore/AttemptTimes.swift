internal import DynamicEvents

/// When the attempts to deliver an event failed, as one text of milliseconds with spaces between, oldest first.
struct AttemptTimes {
  /// The default of `max-attempts`; of more, the latest.
  private static let most = 20

  let text: String

  var times: [Timestamp] { text.split(separator: " ").compactMap { Int64($0).map(Timestamp.init(milliseconds:)) } }

  /// What an update sets, in SQL: one more, or none. Read and written in Swift, it would take a second statement a row.
  static let appending = """
    CASE WHEN excluded.attempt_times = '' THEN attempt_times ELSE
      CASE WHEN length(attempt_times) - length(replace(attempt_times, ' ', '')) >= \(most - 1)
        THEN substr(attempt_times, instr(attempt_times, ' ') + 1) ELSE attempt_times END
      || CASE attempt_times WHEN '' THEN '' ELSE ' ' END || excluded.attempt_times END
    """
}
