import DynamicAPI
import Foundation
import Signature
import Testing

@testable import revoked

@Suite("The keys of Dynamic's API", .timeLimit(.minutes(1)))
struct DynamicSettingsTests {
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let token = "dyn_the-token-of-the-API"

  private func token(_ settings: Settings) -> String? {
    settings.dynamic.token?.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
  }

  @Test func `Without a token there is no access, and the defaults are those of the documentation`() throws {
    let dynamic = try Settings.load(.stub()).dynamic
    #expect(
      dynamic.token == nil && dynamic.environmentID == nil && dynamic.webhookID == nil && dynamic.publicURL == nil)
    #expect(dynamic.url == "https://app.dynamicauth.com/api/v0")
    #expect(dynamic.checkEvery == .seconds(300) && !dynamic.reEnables)
    let half = try Settings.load(.stub(environment: ["DYNAMIC_API_TOKEN": Self.token]))
    #expect(half.dynamicAccess == nil)
    #expect(half.notices.map(\.key) == ["dynamic.api-token"])
  }

  @Test func `Every key reaches what the API is called with`() throws {
    let text = """
      public-url: https://hooks.example.com/webhooks/dynamic
      tls.ca-file: ca.pem
      dynamic:
        api-token: \(Self.token)
        environment-id: \(Self.environment)
        api-url: http://127.0.0.1:9/api/v0/
        webhook-id: 77777777-7777-4777-8777-77777777777A
        check-every: 0s
        re-enable: true
      """
    let settings = try Settings.load(.stub(text, files: ["ca.pem": "-----BEGIN CERTIFICATE-----"]))
    let access = try #require(settings.dynamicAccess)
    #expect(access.environment == Self.environment && access.url == "http://127.0.0.1:9/api/v0")
    #expect(access.authorities == "ca.pem")
    #expect(settings.dynamic.publicURL == "https://hooks.example.com/webhooks/dynamic")
    #expect(settings.dynamic.webhookID == "77777777-7777-4777-8777-77777777777a")
    #expect(settings.dynamic.checkEvery == .zero && settings.dynamic.reEnables)
  }

  @Test(
    arguments: [
      ("dynamic.api-token: dyn_file", [:], "dyn_file", "file revoked.yaml:1"),
      ("dynamic.api-token: dyn_file", ["DYNAMIC_API_TOKEN": " dyn_own\n"], "dyn_own", "environment DYNAMIC_API_TOKEN"),
      ("", ["DYNAMIC_API_TOKEN_FILE": "token"], "dyn_kept", "environment DYNAMIC_API_TOKEN_FILE"),
      (
        "", ["DYNAMIC_API_TOKEN_FILE": "token", "REVOKED_DYNAMIC_API_TOKEN": "dyn_ours"], "dyn_ours",
        "environment REVOKED_DYNAMIC_API_TOKEN"
      ),
    ] as [(String, [String: String], String, String)])
  func `The token comes from a variable, a file that one names, or the file`(
    file: String, environment: [String: String], token: String, source: String
  ) throws {
    let settings = try Settings.load(.stub(file, environment: environment, files: ["token": "# mine\n\n dyn_kept \n"]))
    #expect(self.token(settings) == token)
    #expect(settings.source(of: "dynamic.api-token") == source)
    #expect(!settings.listing.contains("dyn_") && !settings.listingJSON.contains("dyn_"))
  }

  @Test(
    arguments: [
      (["DYNAMIC_API_TOKEN": "tiny token"], "dynamic.api-token (DYNAMIC_API_TOKEN): holds a space"),
      (["DYNAMIC_API_TOKEN": ""], "dynamic.api-token (DYNAMIC_API_TOKEN): is empty"),
      (["DYNAMIC_API_TOKEN_FILE": ""], "dynamic.api-token (DYNAMIC_API_TOKEN_FILE): is empty"),
      (["DYNAMIC_API_TOKEN_FILE": "gone"], "dynamic.api-token (DYNAMIC_API_TOKEN_FILE): gone does not exist"),
      (["DYNAMIC_API_TOKEN_FILE": "two"], "dynamic.api-token (DYNAMIC_API_TOKEN_FILE): two must hold one line"),
      (
        ["DYNAMIC_API_TOKEN_FILE": "one", "DYNAMIC_API_TOKEN": "tiny"],
        "dynamic.api-token (DYNAMIC_API_TOKEN_FILE): DYNAMIC_API_TOKEN is set as well"
      ),
    ] as [([String: String], String)])
  func `What is no token is refused, and never echoed`(environment: [String: String], begins: String) {
    let inputs = ConfigurationInputs.stub(environment: environment, files: ["one": "tiny", "two": "tiny\ntiny"])
    let problems = inputs.problems()
    #expect(problems.count == 1 && problems[0].hasPrefix(begins), "\(problems)")
    #expect(!problems.description.contains("tiny"))
  }

  @Test(arguments: [
    ("dynamic.webhook-id: x", "dynamic.webhook-id"), ("dynamic.check-every: -1s", "dynamic.check-every"),
    ("dynamic.check-every: 25h", "dynamic.check-every"), ("dynamic.check-every: 300", "dynamic.check-every"),
    ("dynamic.re-enable: yes", "dynamic.re-enable"), ("public-url: http://hooks.example.com/a", "public-url"),
    ("public-url: https://hooks.example.com:8443/a", "public-url"),
  ])
  func `What cannot be meant is named`(text: String, key: String) {
    let problems = ConfigurationInputs.stub(text).problems()
    #expect(problems.count == 1 && problems[0].hasPrefix(key), "\(problems)")
  }

  @Test func `A token that changes needs no restart, and the other keys do`() throws {
    let one = try Settings.load(.stub(environment: ["DYNAMIC_API_TOKEN": "dyn_one"]))
    let two = try Settings.load(.stub(environment: ["DYNAMIC_API_TOKEN": "dyn_two"]))
    let other = try Settings.load(.stub("dynamic.re-enable: true", environment: ["DYNAMIC_API_TOKEN": "dyn_one"]))
    #expect(one.keysThatNeedRestart(since: one).isEmpty)
    #expect(two.keysThatNeedRestart(since: one).isEmpty)
    #expect(other.keysThatNeedRestart(since: one) == ["dynamic.re-enable"])
  }
}
