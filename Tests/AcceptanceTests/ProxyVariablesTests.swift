import HTTPServer
import TestSupport
import Testing

@Suite("A proxy that the environment names", .timeLimit(.minutes(5)))
struct ProxyVariablesTests {
  @Test("gets nothing from a handler of kind forward: the receiver that is configured does")
  func ignored() throws {
    let plain = try Application()
    let (secure, proxy) = (try SilentListener(), try SilentListener())
    var settings = ["NO_PROXY": "", "no_proxy": ""]
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
      settings[name] = "http://127.0.0.1:\(proxy.port)"
    }
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
