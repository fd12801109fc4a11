/// Where a pass over what may be forgotten stands. A pass goes through the tables in the order of their numbers, a few
/// rows a step; no index on a time is kept for it, since that would cost ingest and a pass costs it nothing.
package enum PruneStep: Hashable, Sendable {
  case revocations(after: Int64)
  case cutOffs(after: Int64)
  case events(after: Int64)

  package static let first = PruneStep.revocations(after: 0)

  /// Numbers that one step looks through, without holding up the writer: about a millisecond.
  package static let looks = 4096
  /// Rows that one step deletes: a transaction no longer than one of ingest.
  package static let deletes = 128
}
