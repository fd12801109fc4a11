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
  package var id: UUIDBytes
  /// Only grows.
  package var before: Timestamp

  package init(_ kind: Kind, _ id: UUIDBytes, before: Timestamp) {
    self.kind = kind
    self.id = id
    self.before = before
  }
}

/// What is known of a token.
package enum TokenStanding: Hashable, Sendable {
  case good
  /// One of its sessions is revoked.
  case revoked
  /// Its user or environment was cut off after it was issued.
  case cutOff
}

extension TokenStanding {
  /// Of a request that presents all of them: one that is refused refuses it.
  package init(ofAll standings: [TokenStanding]) {
    self = standings.contains(.revoked) ? .revoked : standings.contains(.cutOff) ? .cutOff : .good
  }
}
