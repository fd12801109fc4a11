internal import Synchronization

extension RevocationStore: EventAppending {
  package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    let (outcomes, last) = try appendTransaction { transaction in
      let outcomes = try transaction.append(batch)
      return (outcomes, transaction.lastRevocation)
    }
    health.appended()
    // Another process's commit may have come between, and been noted.
    lastRevocation.max(last, ordering: .releasing)
    return outcomes
  }

  /// One transaction that may add rows, and what follows from it for the indexes.
  func appendTransaction<Value: Sendable>(
    _ body: (inout AppendTransaction) throws -> Value
  ) throws(StoreError) -> Value {
    try appending.withLock { _ throws(StoreError) in
      do throws(StoreError) {
        let value = try write { db in
          // Another process's indexes are as of now, since nobody tells it.
          let keys = try unsafe keys ?? KeyWriters.load(db)
          var transaction = try AppendTransaction(db, retention, keys) { commits.wrappingAdd(1, ordering: .releasing) }
          let value = try body(&transaction)
          try transaction.finish()
          return value
        }
        // Behind the counting of the commit, so that whoever finds a row by this has a snapshot with the row.
        unsafe keys?.committed()
        return value
      } catch {
        unsafe keys?.failed()
        throw error
      }
    }
  }
}
