/// A handler's row, and how far it has come.
package struct HandlerCursor: Hashable, Sendable {
  package var id: Int64
  /// Every event up to this number has been attempted at least once.
  package var position: Int64
}
