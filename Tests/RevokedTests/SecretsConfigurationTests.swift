import Foundation
import Receiver
import Signature
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct SecretsConfigurationTests {
  static let a = "dyn_5LqRXtZsXit7Cjt9KktC8EGywoSkGSbGqtTud[S7AYd{LUTMcS38QRMT"
  static let b = "dyn_$second'secret-0123456789"

  @Test(
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
  func `Secrets are counted from the file or from every variable that is set`(
    file: String, environment: [String: String], count: Int, source: String
  ) throws {
    let keys = "# both are valid\n\n  \(Self.a)\r\n\(Self.b)  \n   \n#\(Self.a)\n"
    let settings = try Settings.load(
      .stub(file, environment: environment, files: ["keys": keys]), requiring: [.secrets])
    #expect(settings.receiver.secrets.count == count)
    #expect(settings.source(of: "secrets") == source)
  }

  @Test(
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
  func `What is no usable secret is refused, and never echoed`(
    file: String, environment: [String: String], begins: String
  ) {
    let inputs = ConfigurationInputs.stub(file, environment: environment, files: ["none": "# tiny\n\n"])
    let problems = inputs.problems(requiring: [.secrets])
    #expect(problems.contains { $0.hasPrefix(begins) }, "\(problems)")
    #expect(!problems.description.contains("tiny"))
  }

  /// Swift's `==` calls them equal.
  @Test func `Secrets that differ in their normal form alone are two`() throws {
    let (composed, decomposed) = ("dyn_caf\u{e9}-0123456789", "dyn_cafe\u{301}-0123456789")
    for inputs in [
      ConfigurationInputs.stub("secrets: ['\(composed)', '\(decomposed)']"),
      .stub(environment: ["DYNAMIC_WEBHOOK_SECRET": composed, "REVOKED_SECRETS": decomposed]),
      .stub(environment: ["DYNAMIC_WEBHOOK_SECRET": "\(composed) \(decomposed) \(composed)"]),
      .stub(environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": "keys"], files: ["keys": "\(composed)\n\(decomposed)\n"]),
    ] {
      let secrets = try Settings.load(inputs, requiring: [.secrets]).receiver.secrets
      #expect(secrets.count == 2)
      for text in [composed, decomposed] {
        let isThere = secrets.contains { $0.matches(Array(text.utf8).span) }
        #expect(isThere)
      }
    }
  }

  @Test(
    arguments: [
      (a, []), (b, []), ("\"\(a)\"", ["is in quotes"]), ("'\(a)'", ["is in quotes"]),
      ("DYNAMIC_WEBHOOK_SECRET=\(a)", ["is written NAME=VALUE"]), ("export S='\(a)'", ["is written NAME=VALUE"]),
      (#"{"secret":"\#(a)"}"#, ["is JSON"]), (#"["\#(a)"]"#, ["is JSON"]),
      ("ZHluXzVMcVJYdFpzWGl0N0NqdDlLa3RDOA==", ["is in base64"]), ("${DYNAMIC_WEBHOOK_SECRET}", ["is a placeholder"]),
      ("$DYNAMIC_WEBHOOK_SECRET", ["is a placeholder"]), ("$(cat /run/secret)", ["is a placeholder"]),
      ("{{ .Values.secret }}", ["is a placeholder"]), ("<your secret here>", ["is a placeholder"]),
      ("\(a),\(b)", ["joined by a comma"]), ("\(a);\(b)", ["joined by a comma"]), ("dyn_with,comma-0123456789", []),
      ("\u{FEFF}\(a)", ["byte order mark"]), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ["whsec_"]),
      ("placeholder-until-registered", ["does not begin with dyn_"]), (" \(a)", ["white space around it"]),
      ("\u{FEFF}\"\(a)\"", ["byte order mark", "is in quotes"]), ("YWJjZGVmZ2hpamtsbW5vcA==", ["does not begin with"]),
    ] as [(String, [String])])
  func `A secret that does not look like Dynamic's is doubted, and never echoed`(secret: String, doubts: [String])
    throws
  {
    let escaped = secret.replacing("'", with: "''")
    // A file of secrets may begin with a byte order mark; libYAML takes one away.
    let isMarked = secret.unicodeScalars.first == "\u{FEFF}"
    let inputs =
      isMarked
      ? ConfigurationInputs.stub(environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": "keys"], files: ["keys": secret + "\n"])
      : .stub("secrets: '\(escaped)'")
    let notices = try Settings.load(inputs).notices.map(\.description)
    #expect(notices.count == doubts.count, "\(notices)")
    for (notice, doubt) in zip(notices, doubts) {
      #expect(notice.hasPrefix("secrets (") && notice.contains(doubt), "\(notice)")
      #expect(!notice.contains(secret) && !notice.contains(Self.a.dropFirst(4)))
    }
  }

  @Test func `Of several secrets the number of the doubted one is said, with its source`() throws {
    let inputs = ConfigurationInputs.stub(
      environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": "keys"], files: ["keys": "\(Self.a)\n\"\(Self.b)\"\n"])
    #expect(
      try Settings.load(inputs).notices.map(\.description) == [
        "secrets (DYNAMIC_WEBHOOK_SECRET_FILE): number 2 of 2 is in quotes, which count as a part of it: remove them"
      ])
  }

  @Test func `A file of secrets that every user may read is doubted`() throws {
    let handler = "handlers.a: {kind: forward, url: 'https://a.example', secret-file: hook}"
    let files = ["keys": Self.a, "hook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "token": "dyn_token"]
    let environment = [
      "DYNAMIC_WEBHOOK_SECRET_FILE": "keys", "DYNAMIC_API_TOKEN_FILE": "token",
      "DYNAMIC_ENVIRONMENT_ID": "11111111-2222-4333-8444-555555555555",
    ]
    func doubts(_ file: String, open: Set<String>) throws -> [String] {
      try Settings.load(.stub(file, environment: environment, files: files, open: open)).notices.map(\.description)
    }
    #expect(try doubts(handler, open: []).isEmpty)
    let text = "every user of this machine may read"
    #expect(
      try doubts(handler, open: ["keys", "hook", "token", "revoked.yaml"]) == [
        "DYNAMIC_WEBHOOK_SECRET_FILE: \(text) keys, which holds a secret",
        "DYNAMIC_API_TOKEN_FILE: \(text) token, which holds a secret",
        "handlers.a.secret-file (revoked.yaml:1): \(text) hook, which holds a secret",
      ])
    #expect(
      try doubts("private-token: '0123456789abcdef'", open: ["revoked.yaml"]) == [
        "\(text) revoked.yaml, which holds a secret"
      ])
  }

  @Test(arguments: [(0o644, 0o755, true), (0o640, 0o755, false), (0o604, 0o755, true), (0o644, 0o700, false)])
  func `Whether every user may read a file depends on the folders on the way`(file: Int, folder: Int, isOpen: Bool)
    throws
  {
    // A folder for temporary files that only its owner may enter would decide alone.
    let root = URL(filePath: "/dev/shm/revoked-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: root) }
    let path = root.appending(path: "secret").path
    try Data().write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: file], ofItemAtPath: path)
    try FileManager.default.setAttributes([.posixPermissions: folder], ofItemAtPath: root.path)
    #expect(FileAccess.isReadableByAll(path) == isOpen)
    #expect(!FileAccess.isReadableByAll(root.path))
    #expect(!FileAccess.isReadableByAll(path + "-none"))
  }

  @Test func `Who needs no secret does not fail for one`() throws {
    #expect(try Settings.load(.stub()).receiver.secrets.isEmpty)
    let half = ["DYNAMIC_WEBHOOK_SECRET": Self.a, "DYNAMIC_WEBHOOK_SECRET_FILE": "gone"]
    #expect(try Settings.load(.stub(environment: half)).receiver.secrets.count == 1)
  }

  @Test(
    arguments: [
      ("0123456789abcdef", nil), ("t", nil), ("", "is empty"),
      ("0123456789 abcdef", "holds a space, a line end or another character that a header cannot carry"),
      ("0123456789abcdef\n", "holds a space, a line end or another character that a header cannot carry"),
      ("0123456789abcdeé", "holds a space, a line end or another character that a header cannot carry"),
    ] as [(String, String?)])
  func `The private token must fit into a header`(text: String, problem: String?) throws {
    let inputs = ConfigurationInputs.stub(environment: ["REVOKED_PRIVATE_TOKEN": text])
    #expect(inputs.problems() == (problem.map { ["private-token (REVOKED_PRIVATE_TOKEN): \($0)"] } ?? []))
    if problem == nil { #expect(try Settings.load(inputs).receiver.privateToken != nil) }
  }
}
