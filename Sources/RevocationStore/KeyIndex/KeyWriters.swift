internal import GRDB

/// The indexes of the tables that are appended to.
struct KeyWriters {
  let events: KeyIndexWriter
  let revocations: KeyIndexWriter

  /// - Parameter limits: nil if another process may serve.
  static func load(_ db: Database, limits: KeyIndexLimits? = nil) throws -> KeyWriters {
    try KeyWriters(
      events: KeyIndexWriter(KeyIndex.load(.event, db), limits: limits),
      revocations: KeyIndexWriter(KeyIndex.load(.revocation, db), limits: limits))
  }

  func committed() {
    events.committed()
    revocations.committed()
  }

  func failed() {
    events.failed()
    revocations.failed()
  }
}
