import Receiver
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct SecretsConfigurationTests {
  static let a = "dyn_5LqRXtZsXit7Cjt9KktC8EGywoSkGSbGqtTud[S7AYd{LUTMcS38QRMT"
  static let b = "dyn_$second'secret-0123456789"

  @Test(
    "Secrets are counted from the file or from every variable that is set",
    arguments: [
      ("secrets: '\(a)'", [:], 1, "file revoked.yaml:1"),
      ("log.level: info\nsecrets: ['\(a)', another-secret-of-mine]", [:], 2, "file revoked.yaml:2"),
      ("", ["DYNAMIC_WEBHOOK_SECRET": a], 1, "environment DYNAMIC_WEBHOOK_SECRET"),
      ("", ["DYNAMIC_WEBHOOK_SECRET": "\(a)\n"], 1, "environment DYNAMIC_WEBHOOK_SECRET"),
      ("", ["DYNAMIC_WEBHOOK_SECRET": " \(a)\t\(b) "], 2, "environment DYNAMIC_WEBHOOK_SECRET"),
      ("", ["REVOKED_SECRETS": "\(a) \(b) \(a)"], 2, "environment REVOKED_SECRETS"),
      ("", ["DYNAMIC_WEBHOOK_SECRET_FILE": "keys"], 2, "environment DYNAMIC_WEBHOOK_SECRET_FILE"),
      (
        "", ["DYNAMIC_WEBHOOK_SECRET": b, "REVOKED_SECRETS": b], 1,
        "environment DYNAMIC_WEBHOOK_SECRET + REVOKED_SECRETS"
      ),
      (
        "", ["DYNAMIC_WEBHOOK_SECRET": "a-third-secret-0123", "DYNAMIC_WEBHOOK_SECRET_FILE": "keys"], 3,
        "environment DYNAMIC_WEBHOOK_SECRET + DYNAMIC_WEBHOOK_SECRET_FILE"
      ),
      ("secrets: [x, y, z]", ["DYNAMIC_WEBHOOK_SECRET": a], 1, "environment DYNAMIC_WEBHOOK_SECRET"),
    ] as [(String, [String: String], Int, String)])
  func counted(file: String, environment: [String: String], count: Int, source: String) throws {
    let keys = "# both are valid\n\n  \(Self.a)\r\n\(Self.b)  \n   \n#\(Self.a)\n"
    let settings = try Settings.load(
      .stub(file, environment: environment, files: ["keys": keys]), requiring: [.secrets])
    #expect(settings.receiver.secrets.count == count)
    #expect(settings.source(of: "secrets") == source)
  }

  @Test(
    "What is no usable secret is refused, and never echoed",
    arguments: [
      ("", [:], "secrets: there is none; "), ("secrets: ''", [:], "secrets (revoked.yaml:1): is empty"),
      ("secrets: []", [:], "secrets (revoked.yaml:1): is empty"),
      ("secrets: tiny-15-bytes-x", [:], "secrets (revoked.yaml:1): has 15 bytes; it needs at least 16"),
      ("secrets: ['\(a)', tiny]", [:], "secrets (revoked.yaml:1): number 2 of 2 has 4 bytes; it needs at least 16"),
      ("secrets: {tiny: tiny}", [:], "secrets (revoked.yaml:1): takes a value or a list"),
      ("secrets: '\(a)'", ["REVOKED_SECRETS": ""], "secrets (REVOKED_SECRETS): is empty; "),
      ("", ["DYNAMIC_WEBHOOK_SECRET": " \n"], "secrets (DYNAMIC_WEBHOOK_SECRET): is empty; "),
      ("", ["DYNAMIC_WEBHOOK_SECRET": "tiny"], "secrets (DYNAMIC_WEBHOOK_SECRET): has 4 bytes"),
      (
        "", ["DYNAMIC_WEBHOOK_SECRET": a, "DYNAMIC_WEBHOOK_SECRET_FILE": "none"],
        "secrets (DYNAMIC_WEBHOOK_SECRET_FILE): is empty; "
      ),
      ("", ["DYNAMIC_WEBHOOK_SECRET_FILE": ""], "secrets (DYNAMIC_WEBHOOK_SECRET_FILE): is empty; name the file"),
      ("", ["DYNAMIC_WEBHOOK_SECRET_FILE": "gone"], "secrets (DYNAMIC_WEBHOOK_SECRET_FILE): gone does not exist"),
    ] as [(String, [String: String], String)])
  func refused(file: String, environment: [String: String], begins: String) {
    let inputs = ConfigurationInputs.stub(file, environment: environment, files: ["none": "# tiny\n\n"])
    let problems = inputs.problems(requiring: [.secrets])
    #expect(problems.contains { $0.hasPrefix(begins) }, "\(problems)")
    #expect(!problems.description.contains("tiny"))
  }

  @Test("Who needs no secret does not fail for one")
  func notRequired() throws {
    #expect(try Settings.load(.stub()).receiver.secrets.isEmpty)
    let half = ["DYNAMIC_WEBHOOK_SECRET": Self.a, "DYNAMIC_WEBHOOK_SECRET_FILE": "gone"]
    #expect(try Settings.load(.stub(environment: half)).receiver.secrets.count == 1)
  }

  @Test(
    "The private token must fit into a header",
    arguments: [
      ("0123456789abcdef", nil), ("t", nil), ("", "is empty"),
      ("0123456789 abcdef", "holds a space, a line end or another character that a header cannot carry"),
      ("0123456789abcdef\n", "holds a space, a line end or another character that a header cannot carry"),
      ("0123456789abcdeé", "holds a space, a line end or another character that a header cannot carry"),
    ] as [(String, String?)])
  func privateToken(text: String, problem: String?) throws {
    let inputs = ConfigurationInputs.stub(environment: ["REVOKED_PRIVATE_TOKEN": text])
    #expect(inputs.problems() == (problem.map { ["private-token (REVOKED_PRIVATE_TOKEN): \($0)"] } ?? []))
    if problem == nil { #expect(try Settings.load(inputs).receiver.privateToken != nil) }
  }
}
