import Receiver
import Testing

@testable import revoked

@Suite("The keys of forward-auth and of Dynamic", .timeLimit(.minutes(1)))
struct ForwardAuthSettingsTests {
  static let environment = "55555555-5555-4555-8555-555555555555"

  @Test func `by default the cookie is read and nothing is verified`() throws {
    let configuration = try Settings.load(.stub()).receiver.forwardAuth
    #expect(configuration.cookie == ForwardAuthConfiguration().cookie)
    #expect(configuration.cookie == "DYNAMIC_JWT_TOKEN")
    #expect(configuration.verification == nil)
  }

  @Test func `with an environment, verification has Dynamic's place for the keys`() throws {
    let settings = try Settings.load(
      .stub("forward-auth.verify: true", environment: ["DYNAMIC_ENVIRONMENT_ID": Self.environment.uppercased()]))
    let verification = try #require(settings.receiver.forwardAuth.verification)
    #expect(verification.environmentID == Self.environment)
    #expect(verification.keysURL == "https://app.dynamicauth.com/api/v0/sdk/\(Self.environment)/.well-known/jwks")
    #expect(verification.scope == "user:basic" && verification.audience == nil)
    #expect(verification.keysMaxAge == .seconds(86_400))
    let entry = settings.entries.first { $0.key == "dynamic.environment-id" }
    #expect(entry?.source == .environment("DYNAMIC_ENVIRONMENT_ID"))
  }

  @Test func `every part of it can be set, or left out by an empty value`() throws {
    let text = """
      dynamic: {environment-id: \(Self.environment), api-url: "http://127.0.0.1:9/api/v0/"}
      forward-auth: {cookie: "", verify: true, scope: "", audience: "https://app.example.com", jwks-max-age: 1h}
      """
    let configuration = try Settings.load(.stub(text)).receiver.forwardAuth
    #expect(configuration.cookie == nil)
    let verification = try #require(configuration.verification)
    #expect(verification.keysURL == "http://127.0.0.1:9/api/v0/sdk/\(Self.environment)/.well-known/jwks")
    #expect(verification.scope == nil && verification.audience == "https://app.example.com")
    #expect(verification.keysMaxAge == .seconds(3600))
    let other = try Settings.load(.stub(text + "\nforward-auth.jwks-url: https://keys.example.com/set"))
    #expect(other.receiver.forwardAuth.verification?.keysURL == "https://keys.example.com/set")
  }

  @Test func `the variable REVOKED_DYNAMIC_ENVIRONMENT_ID beats Dynamic's own, which beats the file`() throws {
    let other = "66666666-6666-4666-8666-666666666666"
    let file = "dynamic.environment-id: \(Self.environment)"
    #expect(try Settings.load(.stub(file)).dynamic.environmentID == Self.environment)
    #expect(
      try Settings.load(.stub(file, environment: ["DYNAMIC_ENVIRONMENT_ID": other])).dynamic.environmentID == other)
    #expect(
      try Settings.load(
        .stub(
          file, environment: ["DYNAMIC_ENVIRONMENT_ID": Self.environment, "REVOKED_DYNAMIC_ENVIRONMENT_ID": other])
      ).dynamic.environmentID == other)
  }

  @Test(arguments: [
    ("forward-auth.verify: true", "forward-auth.verify"), ("forward-auth.verify: yes", "forward-auth.verify"),
    ("dynamic.environment-id: x", "dynamic.environment-id"), ("forward-auth.cookie: 'a b'", "forward-auth.cookie"),
    ("forward-auth.cookie: 'a=b'", "forward-auth.cookie"), ("forward-auth.scope: 'a b'", "forward-auth.scope"),
    ("forward-auth.jwks-url: http://keys.example.com/", "forward-auth.jwks-url"),
    ("forward-auth.jwks-url: http://10.0.0.1/", "forward-auth.jwks-url"),
    ("forward-auth.jwks-url: keys", "forward-auth.jwks-url"),
    ("dynamic.api-url: http://a.example/", "dynamic.api-url"),
    ("forward-auth.jwks-max-age: 31d", "forward-auth.jwks-max-age"),
    ("forward-auth.jwks-max-age: 0s", "forward-auth.jwks-max-age"), ("forward-auth.keys: x", "forward-auth.keys"),
  ])
  func `what cannot be meant is named`(text: String, key: String) {
    let problems = ConfigurationInputs.stub(text).problems()
    #expect(problems.count == 1 && problems[0].hasPrefix(key), "\(problems)")
  }
}
