import Foundation
import HTTPServer
import TestSupport
import Testing

/// The way that Dynamic's deliveries take: TLS to a proxy, and from there to the receiver over connections that are kept.
@Suite(
  "Behind nginx",
  // Needs nginx, OpenSSL's command and curl, which are tools of the machine and not of this package: where one is
  // missing the suite is reported as skipped, by this name. `apt-get install nginx openssl curl` brings it back.
  .enabled(if: NginxProxy.canRun, "nginx, openssl or curl is not installed"))
struct NginxTests {
  @Test("a vector and twenty events come through TLS over one kept connection, and their sessions are refused")
  func deliveries() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let proxy = try NginxProxy(in: server.folder, to: server.address)

    let vector = Vector.sessionRevoked
    let first = try proxy.post([(vector.text, vector.signature)])
    #expect(first == [#"200 {"status":"accepted"}"#])
    #expect(try server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
    #expect(try proxy.post([(vector.text, Vector.ping.signature)]).first?.hasPrefix("401 ") == true)

    let sessions = (0..<20).map { _ in UUID().uuidString.lowercased() }
    let events = try sessions.map { session in
      let body = DeliveryTests.event(session: session)
      return (body, try DeliveryTests.sign(body))
    }
    #expect(try proxy.post(events) == Array(repeating: #"200 {"status":"accepted"}"#, count: 20))
    for session in sessions {
      #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#))
    }
    #expect(try server.metric(#"revoked_connections{listener="public"}"#) == 1)
    #expect(try server.metric(#"revoked_http_requests_total{listener="public",code="200"}"#) == 21)
  }
}
