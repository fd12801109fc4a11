public import Signature

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
