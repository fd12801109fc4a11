public import HTTPServer
public import Signature

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
  /// that knows of nobody.
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
