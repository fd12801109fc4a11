internal import AccessTokens
public import HTTPServer
public import Signature
internal import Storage

/// Everything a receiver needs to know before it starts. The executable fills it from flags, environment and file.
public struct ReceiverConfiguration: Sendable {
  /// The webhook secrets, any of which may have signed a delivery; at least one. Two are the normal state during a
  /// rotation.
  public var secrets: [Secret]
  /// The listener that the reverse proxy forwards Dynamic's deliveries to.
  public var listen = ListenAddress.tcp(host: "127.0.0.1", port: 8080)
  /// The listener for look-ups, metrics and readiness. Never put it on the Internet.
  public var privateListen = ListenAddress.tcp(host: "127.0.0.1", port: 8081)
  /// Whether there is a private listener. A program that asks by `Receiver.isRevoked(_:)` may need none.
  public var hasPrivateListener = true
  /// When set, `/v1/*`, `/metrics` and `/` of the private listener need it as a bearer token.
  public var privateToken: Secret?
  /// The environment at Dynamic that all of this is about. An order to refuse the sessions of another one is an error
  /// then, since it would refuse none. `nil`: any is taken.
  public var environmentID: String?
  /// The webhook's path on the public listener; compared byte for byte, without the query.
  public var path = "/webhooks/dynamic"
  /// The folder of the embedded store, made with mode 0700 if missing.
  public var data = "./data"
  /// The database that is the store of this receiver and of others; `nil`: the embedded store in `data`.
  public var store: StoreURL?
  /// Whether a start makes a store where there is none. If not, it throws: a store that is gone must not pass for one
  /// that knows of no session.
  public var makesStore = true
  /// How long a revoked session is remembered after its creation. Sessions live at most 30 days.
  public var retention: Duration = .seconds(30 * 86_400)
  /// What forward-auth asks of a request.
  public var forwardAuth = ForwardAuthConfiguration()
  /// Dynamic's API; `nil`: nothing is asked of it.
  public var dynamic: DynamicConfiguration?
  /// Limits of each of the two listeners.
  public var limits = ServerLimits()
  /// How long a stopping receiver waits for what is in flight.
  public var drainTimeout: Duration = .seconds(8)

  public init(secrets: [Secret]) {
    self.secrets = secrets
  }
}

/// What forward-auth asks of a request.
public struct ForwardAuthConfiguration: Sendable {
  /// The cookie that may carry the JWT; `nil`: none is read.
  public var cookie: String? = "DYNAMIC_JWT_TOKEN"
  /// How a JWT is verified; `nil`: it is not, and the application does that.
  public var verification: TokenVerification?

  public init() {}

  /// Whether a cookie can have the name.
  package static func isCookieName(_ name: String) -> Bool { TokenCookie(name: name) != nil }
}

/// How JWTs are verified: by `RS256` with the environment's keys, and what they must say.
public struct TokenVerification: Sendable {
  /// `environment_id` must be this one.
  public var environmentID: String
  /// A word that `scope` must hold; `nil`: not asked. Without `user:basic` a sign-in at Dynamic is not complete.
  public var scope: String? = "user:basic"
  /// What `aud` must be or hold; `nil`: not asked.
  public var audience: String?
  /// Where the environment's keys are published, as a JSON Web Key Set. `http` only for a loopback address.
  public var keysURL: String
  /// How long keys count that were fetched, while no newer ones can be.
  public var keysMaxAge: Duration = .seconds(86_400)
  /// A file with the certificate authorities to trust instead of the system's.
  public var authorities: String?

  public init(environmentID: String, keysURL: String) {
    self.environmentID = environmentID
    self.keysURL = keysURL
  }

  /// With Dynamic's own place for the keys.
  public init(environmentID: String, apiURL: String = "https://app.dynamicauth.com/api/v0") {
    self.init(environmentID: environmentID, keysURL: "\(apiURL)/sdk/\(environmentID)/.well-known/jwks")
  }
}

/// What a receiver needs to look after its webhook at Dynamic, and to fetch what that could not deliver.
public struct DynamicConfiguration: Sendable {
  /// An API token with the scopes `environment.webhooks.read` and `environment.events.read`; not the webhook's secret.
  public var token: Secret
  /// The environment's id, in lower case.
  public var environmentID: String
  /// Without a slash at its end. `http` only for a loopback address.
  public var apiURL = "https://app.dynamicauth.com/api/v0"
  /// Which webhook is ours; `nil`: the one whose URL is `publicURL`, else the only one that has both events of a
  /// revocation and ends in the webhook's path.
  public var webhookID: String?
  /// The URL that Dynamic posts to.
  public var publicURL: String?
  /// How often the webhook is looked after; zero: never, and nothing is fetched.
  public var checkEvery: Duration = .seconds(300)
  /// Whether a webhook that was switched off is turned on again. Needs the scope `environment.webhooks.write`.
  public var reEnables = false
  /// A file with the certificate authorities to trust instead of the system's.
  public var authorities: String?

  public init(token: Secret, environmentID: String) {
    self.token = token
    self.environmentID = environmentID
  }
}

/// Why a receiver could not start or answer: one line for the person who runs it.
public enum ReceiverError: Error, Sendable, CustomStringConvertible {
  /// Something that a changed configuration mends.
  case configuration(String)
  /// The folder, the disk or the store in it.
  case store(String)
  /// The database that the store is in does not answer.
  case unreachable(String)
  /// An address that cannot be listened on.
  case listener(String)
  /// A cursor of a history of the store that is no more, since a backup was restored: read from the beginning.
  case unknownCursor

  public var description: String {
    switch self {
    case .configuration(let reason), .store(let reason), .unreachable(let reason), .listener(let reason): reason
    case .unknownCursor: "the cursor belongs to another history of the store: read from the beginning"
    }
  }
}

extension ReceiverError {
  init(_ error: StoreError) {
    switch error {
    case .misconfigured: self = .configuration(error.description)
    case .unreachable: self = .unreachable(error.description)
    default: self = .store(error.description)
    }
  }
}
