internal import HTTPMessage
internal import HTTPServer
internal import Receiver

extension Settings {
  /// Every key but the handlers'. The bounds stand here with their reasons; the defaults are the receiver's own,
  /// spelled as a user would.
  static let keys: [ConfigurationKey<Settings>] = [
    ConfigurationKey(
      "secrets", nil, "the webhook secrets; two during a rotation", .secrets, into: \.receiver.secrets, isSecret: true),
    ConfigurationKey(
      "listen", "127.0.0.1:8080", "public listener, behind the proxy that ends TLS", .address,
      into: \.receiver.listen),
    ConfigurationKey(
      "private-listen", "127.0.0.1:8081", "look-ups, metrics and readiness; never on the Internet", .address,
      into: \.receiver.privateListen),
    ConfigurationKey(
      "private-token", nil, "the private listener's bearer token; none: open to all who reach it", .token,
      into: \.receiver.privateToken, isSecret: true),
    ConfigurationKey(
      "path", "/webhooks/dynamic", "the webhook's path on the public listener", .webhookPath, into: \.receiver.path),
    ConfigurationKey(
      "data", "./data", "folder of the store, made with mode 0700 if missing", .folder, into: \.receiver.data),
    ConfigurationKey(
      "store", nil, "postgres://…: the database of several receivers; none: embedded, in data", .storeURL,
      into: \.receiver.store, isSecret: true),
    ConfigurationKey(
      "new-store", "make", "make or refuse: what a start does where there is no store", .newStore, into: \.newStore),
    // Sessions live 30 days. Ten years is for those who keep them for an audit; more is a typing error.
    ConfigurationKey(
      "retention", "30d", "how long a revoked session is remembered", .duration(upTo: 3_650, .d),
      into: \.receiver.retention),
    ConfigurationKey(
      "public-url", nil, "the URL that Dynamic posts to", .webhookURL, into: \.dynamic.publicURL),
    ConfigurationKey(
      "dynamic.api-token", nil, "the token for Dynamic's API; none: it is not called", .token, into: \.dynamic.token,
      isSecret: true),
    ConfigurationKey(
      "dynamic.environment-id", nil, "the environment at Dynamic whose sessions these are", .environmentID,
      into: \.dynamic.environmentID),
    ConfigurationKey(
      "dynamic.api-url", "https://app.dynamicauth.com/api/v0", "where Dynamic's API is", .trustedURL,
      into: \.dynamic.apiURL),
    ConfigurationKey(
      "dynamic.webhook-id", nil, "which webhook at Dynamic is ours; none: found by its URL", .webhookID,
      into: \.dynamic.webhookID),
    // A message that failed waits at Dynamic for 30 days at least, but its session is let through until it is fetched.
    ConfigurationKey(
      "dynamic.check-every", "5m", "how often the webhook is looked after; 0s: never", .durationOrZero(upTo: 1, .d),
      into: \.dynamic.checkEvery),
    ConfigurationKey(
      "dynamic.re-enable", "false", "whether a webhook that was switched off is turned on again", .truth,
      into: \.dynamic.reEnables),
    ConfigurationKey(
      "forward-auth.cookie", "DYNAMIC_JWT_TOKEN", "the cookie that may carry the JWT; empty: none is read", .cookieName,
      into: \.forwardAuth.cookie),
    ConfigurationKey(
      "forward-auth.verify", "false", "whether forward-auth verifies the JWT; needs dynamic.environment-id", .truth,
      into: \.forwardAuth.verifies),
    ConfigurationKey(
      "forward-auth.scope", "user:basic", "a word that the JWT's scope must hold; empty: not asked", .word,
      into: \.forwardAuth.scope),
    ConfigurationKey(
      "forward-auth.audience", nil, "what the JWT's aud must be or hold; none: not asked", .word,
      into: \.forwardAuth.audience),
    ConfigurationKey(
      "forward-auth.jwks-url", nil, "where the environment's keys are; none: at dynamic.api-url", .trustedURL,
      into: \.forwardAuth.keysURL),
    // The holder of a key that Dynamic has removed can sign until then.
    ConfigurationKey(
      "forward-auth.jwks-max-age", "24h", "how long known keys count while they cannot be fetched",
      .duration(upTo: 30, .d), into: \.forwardAuth.keysMaxAge),
    // A session event has some 600 bytes, so below 1,024 hardly any fits. Every connection may hold one body, hence the
    // upper bound.
    ConfigurationKey(
      "limits.body", "262144", "bytes of a request body", .bytes(1_024...67_108_864),
      into: \.receiver.limits.message.bodyBytes),
    // Below 1,024 what proxies add does not fit; beyond 65,535 the head parser's 16-bit offsets end.
    ConfigurationKey(
      "limits.header", "16384", "bytes of request line and headers", .bytes(1_024...65_535),
      into: \.receiver.limits.message.headBytes),
    // A million is Linux's own default for a process's descriptors (fs.nr_open).
    ConfigurationKey(
      "limits.connections", "4096", "connections of each listener", .count(1...1_000_000),
      into: \.receiver.limits.connections),
    // An hour holds a connection as good as for ever.
    ConfigurationKey(
      "timeouts.header", "10s", "from a request's first byte to the end of its head", .duration(upTo: 1, .h),
      into: \.receiver.limits.headerTimeout),
    ConfigurationKey(
      "timeouts.body", "10s", "from there to the end of the body", .duration(upTo: 1, .h),
      into: \.receiver.limits.bodyTimeout),
    ConfigurationKey(
      "timeouts.idle", "75s", "between requests; longer than the proxy's own", .duration(upTo: 1, .h),
      into: \.receiver.limits.idleTimeout),
    ConfigurationKey(
      "timeouts.write", "10s", "from an answer's first unsent byte to its last", .duration(upTo: 1, .h),
      into: \.receiver.limits.writeTimeout),
    ConfigurationKey(
      "timeouts.drain", "8s", "what is in flight may take this long after SIGTERM", .duration(upTo: 1, .h),
      into: \.receiver.drainTimeout),
    ConfigurationKey(
      "tls.ca-file", nil, "the certificate authorities to trust in all that goes out; none: the system's",
      .file,
      into: \.authorities),
    ConfigurationKey("log.level", "info", "the least level that is logged", .level, into: \.logLevel),
    ConfigurationKey(
      "log.format", "json", "text or json; on a terminal the default is text", .format, into: \.logFormat),
  ]
}
