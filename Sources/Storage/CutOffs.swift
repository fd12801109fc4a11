package import DynamicEvents
internal import Synchronization

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

/// The cut-offs that stand, in memory. Safe from any thread.
///
/// It follows the store: what was committed here is in it before the commit is acknowledged, and a look-up whose
/// snapshot has newer numbers reads what it lacks first.
package final class CutOffs: Sendable {
  private struct State {
    var users = CutOffTable()
    var environments = CutOffTable()
  }

  private let state = Mutex(State())
  /// Most have none: then no look-up takes the lock.
  private let isEmpty = Atomic(true)
  /// Every cut-off up to this number of the feed is in it.
  private let lastCovered = Atomic<Int64>(0)

  /// How far ahead of this clock the issuer's may be.
  private static let skew: Int64 = 60_000

  package init() {}

  package var covered: Int64 { lastCovered.load(ordering: .acquiring) }

  package var count: Int { state.withLock { $0.users.count + $0.environments.count } }

  /// Begins anew, with room for as many.
  package func reserve(users: Int, environments: Int) {
    state.withLock {
      $0.users = CutOffTable(capacity: users)
      $0.environments = CutOffTable(capacity: environments)
    }
  }

  package func insert(_ cutOffs: some Sequence<CutOff>) {
    state.withLock { state in
      for cutOff in cutOffs {
        switch cutOff.kind {
        case .user: state.users.insert(cutOff.id, before: cutOff.before)
        case .environment: state.environments.insert(cutOff.id, before: cutOff.before)
        }
        isEmpty.store(false, ordering: .releasing)
      }
    }
  }

  /// Takes note of a commit of this process, which gave out the numbers behind `first`.
  package func committed(_ cutOffs: [CutOff], from first: Int64, to last: Int64) {
    if !cutOffs.isEmpty { insert(cutOffs) }
    // Else another process's commit came before, and a look-up has yet to read that.
    if covered >= first { cover(upTo: last) }
  }

  /// Says that nothing up to this number is missing; to be called after `insert`.
  package func cover(upTo number: Int64) {
    lastCovered.max(number, ordering: .releasing)
  }

  package func remove(_ cutOffs: [CutOff]) {
    state.withLock { state in
      for cutOff in cutOffs {
        switch cutOff.kind {
        case .user: state.users.remove(cutOff.id, before: cutOff.before)
        case .environment: state.environments.remove(cutOff.id, before: cutOff.before)
        }
      }
      if state.users.count + state.environments.count == 0 { isEmpty.store(true, ordering: .releasing) }
    }
  }

  /// Whether a JWT with these claims is cut off: issued before a cut-off of its user or environment, or at a time that
  /// cannot be told or believed while one stands.
  package func refuses(_ claims: TokenClaims, at now: Timestamp) -> Bool {
    guard !isEmpty.load(ordering: .acquiring) else { return false }
    let (user, environment) = state.withLock { state in
      (claims.user.flatMap { state.users.before($0) }, claims.environment.flatMap { state.environments.before($0) })
    }
    guard let before = [user, environment].compactMap({ $0 }).max() else { return false }
    guard let issuedAt = claims.issuedAt, issuedAt.milliseconds <= now.milliseconds + Self.skew else { return true }
    return issuedAt.second <= before
  }
}
