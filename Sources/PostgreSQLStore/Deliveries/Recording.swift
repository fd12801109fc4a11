#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    /// What is kept of an error's text.
    private static let longestError = 500

    package func record(
      _ attempts: [Attempt], lease: HandlerLease, advancingTo position: Int64?
    ) throws(StoreError) {
      var rows: [Int64: Ending] = [:]
      var order: [Int64] = []
      for attempt in attempts {
        if rows[attempt.event] == nil { order.append(attempt.event) }
        rows[attempt.event] = Ending(attempt, after: rows[attempt.event])
      }
      var (done, events, numbers) = (ArrayParameter(.bigint), ArrayParameter(.bigint), ArrayParameter(.integer))
      var (ats, nexts) = (ArrayParameter(.bigint), ArrayParameter(.bigint))
      var (errors, times) = (ArrayParameter(.text), ArrayParameter(.text))
      for event in order {
        guard let row = rows[event], let error = row.error else {
          done.append(event)
          continue
        }
        events.append(event)
        numbers.append(integer: row.number)
        ats.append(row.at.milliseconds)
        nexts.append(row.nextAt?.milliseconds)
        errors.append(String(error.prefix(Self.longestError)))
        times.append(row.times)
      }
      let parameters =
        [Parameter(lease.handler), Parameter(lease.epoch), Parameter(position)]
        + [done, events, numbers, ats, nexts, errors, times].map(\.parameter)
      let isRecorded = try query(
        "SELECT revoked.record_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", parameters
      ) { try $0.bool(0) }
      guard isRecorded == [true] else { throw .leaseLost(handler: lease.handler) }
    }

    /// What is left of an event's attempts at the end of a batch.
    private struct Ending {
      var number: Int
      var at: Timestamp
      var nextAt: Timestamp?
      /// nil: it is delivered.
      var error: String?
      var times = ""

      init(_ attempt: Attempt, after earlier: Ending?) {
        number = attempt.number
        at = attempt.at
        let times = [earlier?.times ?? "", "\(attempt.at.milliseconds)"].filter { !$0.isEmpty }.joined(separator: " ")
        switch attempt.outcome {
        case .delivered: error = nil
        case .failed(let text, let retryAt): (error, nextAt, self.times) = (text, retryAt, times)
        case .dead(let text): (error, self.times) = (text, times)
        case .claimed: (error, nextAt, self.times) = ("the attempt had not ended", attempt.at, earlier?.times ?? "")
        }
      }
    }
  }
#endif
