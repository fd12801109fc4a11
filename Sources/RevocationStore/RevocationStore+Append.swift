extension RevocationStore: EventAppending {
  package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    let outcomes = try write { db in
      var transaction = try AppendTransaction(db, retention)
      let outcomes = try batch.map { try transaction.append($0) }
      try transaction.finish()
      return outcomes
    }
    health.appended()
    return outcomes
  }
}
