internal import Synchronization

extension RevocationStore: EventAppending {
  package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    let (outcomes, last) = try write { db in
      var transaction = try AppendTransaction(db, retention)
      let outcomes = try batch.map { try transaction.append($0) }
      try transaction.finish()
      return (outcomes, transaction.lastRevocation)
    }
    health.appended()
    // Another process's commit may have come between, and been noted.
    lastRevocation.max(last, ordering: .releasing)
    return outcomes
  }
}
