package import DynamicEvents

/// An order that refuses the JWTs of a user or an environment that were issued at a time or before it.
package struct CutOff: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// By the claim `sub`.
    case user
    /// By the claim `environment_id`.
    case environment
  }

  package var kind: Kind
  /// Dynamic's ids are UUIDs.
  package var id: SixteenBytes
  /// Only grows.
  package var before: Timestamp

  package init(_ kind: Kind, _ id: SixteenBytes, before: Timestamp) {
    self.kind = kind
    self.id = id
    self.before = before
  }
}
