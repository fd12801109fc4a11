internal import DynamicAPI
internal import Logging
internal import Recovery
internal import Signature
internal import Storage

/// Why a check of Dynamic was not complete.
enum DynamicTrouble: Error {
  case api(APIError, lacking: [String] = [])
  case wrongEnvironment(String)
  case store(StoreError)
  case other(String)

  init(_ error: CatchUpError) {
    switch error {
    case .api(let error): self = .api(error)
    case .store(let error): self = .store(error)
    case .hashing(let error): self = .other(error.description)
    }
  }

  var isCancelled: Bool { if case .api(.cancelled, _) = self { true } else { false } }

  /// Not of our own store.
  var isOfDynamic: Bool {
    switch self {
    case .api, .wrongEnvironment: true
    case .store, .other: false
    }
  }

  /// The API answered, and will not do it: something else may still work.
  var isRejection: Bool { if case .api(.rejected, _) = self { true } else { false } }

  /// How long the API asks to be left alone.
  var pause: Duration? { if case .api(.unavailable(_, let pause), _) = self { pause } else { nil } }

  /// What is said once, however its details vary.
  var kind: String {
    switch self {
    case .api(.unreachable, _): "unreachable"
    case .api(.unavailable(429, _), _): "limited"
    case .api(.unavailable, _): "unavailable"
    case .api(.rejected(let status, _), let lacking): "rejected \(status) \(lacking.joined(separator: " "))"
    case .api(.unreadable, _): "unreadable"
    case .api(.cancelled, _): "cancelled"
    case .wrongEnvironment(let id): "environment \(id)"
    case .store: "store"
    case .other(let text): text
    }
  }

  var description: String {
    switch self {
    case .api(let error, let lacking):
      "\(error)" + (lacking.isEmpty ? "" : "; the token lacks \(lacking.joined(separator: " and "))")
    case .wrongEnvironment(let id): "the API token is of environment \(id), not of dynamic.environment-id"
    case .store(let error): error.description
    case .other(let text): text
    }
  }
}

/// Says what is wrong once, when it begins, and once that it is over.
struct DynamicTroubleLog {
  private let logger: Logger
  /// Since it worked last. Bounded by the kinds that there are.
  private var said: Set<String> = []

  init(_ logger: Logger) {
    self.logger = logger
  }

  func isKnown(_ trouble: DynamicTrouble) -> Bool { said.contains(trouble.kind) }

  mutating func failed(_ trouble: DynamicTrouble, isPending: Bool) {
    guard said.count < 100, said.insert(trouble.kind).inserted else { return }
    let rest =
      isPending
      ? "look-ups are answered 503 until a new store has caught up" : "deliveries and look-ups go on"
    logger.error(
      "looking after the webhook at Dynamic failed, and is tried again; \(rest)",
      metadata: ["error": "\(trouble.description)"])
  }

  mutating func worked() {
    if !said.isEmpty { logger.notice("looking after the webhook at Dynamic works again") }
    said = []
  }
}
