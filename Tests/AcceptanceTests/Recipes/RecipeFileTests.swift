import Foundation
import HTTPServer
import TestSupport
import Testing
import Yams

/// What can be told of files whose programs are not here.
@Suite("The files of Config that nothing here runs", .timeLimit(.minutes(5)))
struct RecipeFileTests {
  @Test func `those for Traefik and Envoy are YAML, name each listener and certificate, and fail closed`() throws {
    let folder = try TemporaryFolder()
    let place = Recipe.Place(
      folder: folder, port: 1, certificate: try Certificate(in: folder), webhook: .tcp(host: "127.0.0.1", port: 2),
      lookups: .tcp(host: "127.0.0.1", port: 3), application: .tcp(host: "127.0.0.1", port: 4),
      token: ForwardAuthRecipeTests.token)
    for recipe in [Recipe.traefik, .envoy] {
      for text in try recipe.changed(for: place) { #expect(try Yams.load(yaml: text) is [String: Any]) }
      let text = try recipe.files.map { try Recipe.text(of: $0) }.joined()
      #expect(text.contains("Not run in CI"))
      #expect(text.contains("/v1/forward-auth") && text.contains("/webhooks/dynamic") && text.contains("262144"))
    }
    #expect(try Recipe.text(of: "envoy/envoy.yaml").contains("failure_mode_allow: false"))
  }

  @Test
  func `the compose file hardens every service, publishes the webhook's port only, and holds no secret`() throws {
    let compose = try #require(Yams.load(yaml: Recipe.text(of: "compose/compose.yaml")) as? [String: Any])
    let services = try #require(compose["services"] as? [String: [String: Any]])
    #expect(Set(services.keys) == ["proxy", "revoked"])
    for (name, service) in services {
      #expect(service["read_only"] as? Bool == true, "\(name)")
      #expect(service["cap_drop"] as? [String] == ["ALL"], "\(name)")
      #expect(service["security_opt"] as? [String] == ["no-new-privileges:true"], "\(name)")
      #expect(service["mem_limit"] != nil && service["pids_limit"] != nil && service["tmpfs"] != nil, "\(name)")
      #expect(service["privileged"] == nil && service["cap_add"] == nil && service["network_mode"] == nil, "\(name)")
    }
    #expect(services["proxy"]?["ports"] as? [String] == ["443:8443"])
    let revoked = try #require(services["revoked"])
    #expect(revoked["ports"] == nil)
    #expect(revoked["volumes"] as? [String] == ["data:/data"])
    #expect((revoked["healthcheck"] as? [String: Any])?["test"] as? [String] == ["CMD", "revoked", "healthcheck"])
    #expect(
      revoked["environment"] as? [String: String]
        == ["DYNAMIC_WEBHOOK_SECRET_FILE": "/run/secrets/webhook", "REVOKED_NEW_STORE": "refuse"])
    // What it runs, this version takes.
    let command = try #require(revoked["command"] as? [String])
    let check = try Executable.run(["config", "check"] + command.dropFirst())
    #expect(command.first == "serve" && check.status == 0, "\(check.errors)")
  }
}
