import HTTPServer
import TestSupport
import Testing

@Suite("A proxy that the environment names", .timeLimit(.minutes(5)))
struct ProxyVariablesTests {
  /// All the names that programs know, for every kind of URL.
  private static func variables(_ proxy: SilentListener) -> [String: String] {
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    let named = names.map { ($0, "http://127.0.0.1:\(proxy.port)") }
    return Dictionary(uniqueKeysWithValues: named + [("NO_PROXY", ""), ("no_proxy", "")])
  }

  @Test func `gets nothing from send`() throws {
    let application = try Application(answer: "")
    let proxy = try SilentListener()
    let secret = ["DYNAMIC_WEBHOOK_SECRET": Executable.secret]
    let result = try Executable.run(
      "send", "--url", application.address.url, environment: secret.merging(Self.variables(proxy)) { $1 })
    #expect(result.status == 0, "\(result.errors)")
    #expect(application.requests == 1)
    #expect(!proxy.hasVisitor)
  }

  @Test func `gets nothing from a handler of kind forward: the receiver that is configured does`() throws {
    let plain = try Application()
    let (secure, proxy) = (try SilentListener(), try SilentListener())
    var settings = Self.variables(proxy)
    for (name, url) in [("PLAIN", plain.address.url + "/hook"), ("SECURE", "https://127.0.0.1:\(secure.port)/hook")] {
      settings["REVOKED_HANDLERS_\(name)_KIND"] = "forward"
      settings["REVOKED_HANDLERS_\(name)_URL"] = url
      settings["REVOKED_HANDLERS_\(name)_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    }
    let server = try RunningServer(in: TemporaryFolder(), environment: settings)
    let body = DeliveryTests.event(session: DeliveryTests.session)
    #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 200)
    #expect(
      try eventually { try server.metric(#"revoked_deliveries_total{handler="plain",outcome="delivered"}"#) == 1 })
    #expect(plain.requests == 1)
    // The first byte of a TLS handshake (RFC 8446 section 5.1), and not the C of CONNECT.
    #expect(secure.firstByte() == 22)
    #expect(!proxy.hasVisitor)
  }
}
