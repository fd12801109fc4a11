/// What a handler has not delivered.
package struct Backlog: Hashable, Sendable {
  /// Never attempted (counting also what it may turn out not to want), or waiting for a retry.
  package var pending: Int
  /// Given up.
  package var dead: Int

  package init(pending: Int, dead: Int) {
    self.pending = pending
    self.dead = dead
  }
}
