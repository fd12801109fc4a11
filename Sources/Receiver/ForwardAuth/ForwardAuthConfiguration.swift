internal import AccessTokens

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
