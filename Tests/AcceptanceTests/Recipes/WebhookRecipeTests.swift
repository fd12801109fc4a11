import Foundation
import HTTPServer
import TestSupport
import Testing

/// The proxies' files in Config, run by the proxies themselves. A proxy is a tool of the machine and not of this
/// package: one that is missing runs none of these, and `everyProxyIsInstalled` says so by failing.
@Suite("The webhook behind the proxies of Config", .timeLimit(.minutes(5)))
struct WebhookRecipeTests {
  @Test(arguments: [Recipe.nginx, .caddy, .haproxy])
  func `the proxies that Debian has are installed`(recipe: Recipe) {
    #expect(recipe.canRun, "apt-get install nginx-light caddy haproxy openssl curl")
  }

  @Test(arguments: Recipe.webhooks)
  func `an event is accepted over TLS, byte for byte, and a forged one is not`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let vector = Vector.sessionRevoked
    let signature = "x-dynamic-signature-256: \(vector.signature)"
    let first = try deployed.client.post(DeployedProxy.webhook, fields: [signature], vector.text)
    #expect(first.status == 200)
    #expect(first.body == #"{"status":"accepted"}"#)
    #expect(try deployed.server.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
    let forged = try deployed.client.post(DeployedProxy.webhook, fields: [signature], vector.text + " ")
    #expect(forged.status == 401)

    // What a proxy that reads bodies as text or JSON would change.
    let event = DeliveryTests.event(session: UUID().uuidString.lowercased())
    for odd in [event + "\r\n", "\n\t " + event, event.replacing("\"m1\"", with: "\"\\u006d\u{fc}\u{1f600}\"")] {
      #expect(try deployed.deliver(odd).status == 200)
    }
    #expect(try deployed.server.metric("revoked_signature_failures_total") == 1)
  }

  @Test(arguments: Recipe.webhooks)
  func `only the webhook's path is there`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let others = [
      "", "healthz", "readyz", "metrics", "webhooks", "webhooks/dynamic/", "webhooks/dynamic/x", "webhooks/../metrics",
      "v1/sessions/\(DeliveryTests.session)", "v1/forward-auth", "_revoked",
    ]
    for path in others {
      #expect(try deployed.client.get("https://hooks.example.com/" + path).status == 404, "/\(path)")
    }
    let answered = try deployed.server.metric(#"revoked_http_requests_total{listener="public",code="200"}"#)
    #expect(answered == nil)
    #expect(try deployed.client.get(DeployedProxy.webhook).status == 405)
    #expect(deployed.application.requests == 0)
  }

  @Test(arguments: Recipe.webhooks)
  func `a body of the receiver's limit passes, and a larger one is refused as too large`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let event = DeliveryTests.event(session: UUID().uuidString.lowercased())
    let largest = event + String(repeating: " ", count: 262_144 - event.utf8.count)
    #expect(try deployed.deliver(largest).body == #"{"status":"accepted"}"#)
    // Whoever refuses a body before its end may close so soon that the client sees only that.
    let refused = try? deployed.deliver(largest + " ")
    #expect(refused == nil || refused?.status == 413)
    #expect(try deployed.server.metric("revoked_sessions_revoked") == 1)
  }

  @Test(arguments: Recipe.runnable)
  func `deliveries by different connections share one to the receiver`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    for _ in 0..<5 { _ = try deployed.revokedSession() }
    #expect(try deployed.server.metric(#"revoked_connections{listener="public"}"#) == 1)
  }
}
