import HTTPMessage
import HTTPServer
import Receiver
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct ConfigurationFileTests {
  @Test(arguments: [
    "limits:\n  body: 2048\n  header: 4096", "limits.body: 2048\nlimits.header: 4096",
    "limits: {body: 2048}\nlimits.header: 4096", #"{"limits": {"body": 2048, "header": "4KiB"}}"#,
    "\u{FEFF}limits.body: 2KiB\r\nlimits.header: 4096\r\n",
  ])
  func `Nested mappings, dotted keys and JSON mean the same`(text: String) throws {
    let message = try Settings.load(.stub(text)).receiver.limits.message
    #expect(message.bodyBytes == 2_048)
    #expect(message.headBytes == 4_096)
  }

  @Test(arguments: ["", "# only a comment\n", "---\n", "{}", "limits:\nhandlers:\n  # all\ntimeouts: {}"])
  func `A file may say nothing`(text: String) {
    #expect(ConfigurationInputs.stub(text).problems().isEmpty)
  }

  @Test(arguments: ["no", "1e3", "8080", "0x10", "2026-11-23", "null"])
  func `What looks like another type stays text`(value: String) throws {
    #expect(try Settings.load(.stub("data: '\(value)'")).receiver.data == value)
    if value != "null" { #expect(try Settings.load(.stub("data: \(value)")).receiver.data == value) }
  }

  @Test(arguments: [
    ("listen: [1", "revoked.yaml:2: is not YAML: "), ("a: b\n\tc: d", "revoked.yaml:2: is not YAML: "),
    ("listen: *x", "revoked.yaml:1: is not YAML: found undefined alias"),
    ("log: {}\n---\nlog: {}", "revoked.yaml:2: is not YAML: but found another document"),
    ("path: /a\ndata: b\npath: /c", "revoked.yaml:1: path is set twice in the same mapping"),
    ("data: \"\u{1}\"", "revoked.yaml:1: is not text: "), ("- a", "revoked.yaml:1: is not a mapping"),
    ("just words", "revoked.yaml:1: is not a mapping"),
    (String(repeating: "[", count: 100_000), "revoked.yaml:1: is not YAML: "),
  ])
  func `A broken file is one problem with its line, and what it leaves unsaid is none`(text: String, begins: String) {
    let problems = ConfigurationInputs.stub(text).problems(requiring: [.secrets])
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix(begins) == true, "\(problems)")
  }

  @Test func `Of a broken file nothing but the line is told, for it may hold a secret`() {
    let problems = ConfigurationInputs.stub("secrets: [dyn_0123456789abcdef\nlisten: 1").problems()
    #expect(problems.count == 1)
    #expect(!problems.description.contains("dyn_"))
  }

  @Test(arguments: [
    (
      "limits: {body: 2048}\nlimits.body: 4096",
      "limits.body (revoked.yaml:2): is set already in revoked.yaml:1; "
        + "remove one of the two"
    ),
    ("limits: 5", "limits (revoked.yaml:1): is a section: its keys go below it, indented"),
    (
      "handlers: {j: {}}",
      "handlers.j (revoked.yaml:1): is a handler without keys; give it a kind (log, exec or forward) or remove it"
    ),
    (
      "handlers:\n  j:\n    # kind: log",
      "handlers.j (revoked.yaml:2): is a handler without keys; give it a kind (log, exec or forward) or remove it"
    ),
    ("listen:", "listen (revoked.yaml:1): has no value; give it one or remove it"),
    ("listen: ~", "listen (revoked.yaml:1): has no value; give it one or remove it"),
    ("listen: {host: a}", "listen (revoked.yaml:1): takes a value or a list of them"),
    ("listen: ['127.0.0.1:1']", "listen (revoked.yaml:1): takes one value, not a list"),
    ("[a]: b", "revoked.yaml:1: a key must be a word"),
    ("log:\n  levle: info", "log.levle (revoked.yaml:2): there is no such key; did you mean log.level?"),
    ("a: {b: {c: d}}", "a (revoked.yaml:1): there is no such key"),
  ])
  func `A key that stands wrongly is named with its line`(text: String, problem: String) {
    #expect(ConfigurationInputs.stub(text).problems() == [problem])
  }

  @Test func `A file that is asked for must be there; without one none is needed`() {
    var inputs = ConfigurationInputs.stub()
    inputs.file = "gone.yaml"
    #expect(inputs.problems(requiring: [.secrets]).first == "--config: gone.yaml does not exist")
    inputs.file = nil
    inputs.environment = ["REVOKED_CONFIG": "lost.yaml"]
    #expect(inputs.problems() == ["REVOKED_CONFIG: lost.yaml does not exist"])
  }

  @Test func `The flag's file beats the variable's`() throws {
    let files = ["a.yaml": "data: /a", "b.yaml": "data: /b"]
    var inputs = ConfigurationInputs.stub(environment: ["REVOKED_CONFIG": "a.yaml"], files: files)
    #expect(try Settings.load(inputs).receiver.data == "/a")
    inputs.file = "b.yaml"
    #expect(try Settings.load(inputs).receiver.data == "/b")
  }

  @Test(arguments: ["/nonexistent/revoked.yaml", "/"])
  func `The real file reader says why there is no text`(path: String) {
    let problems = ConfigurationInputs(file: path).problems()
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("--config: \(path) ") == true)
  }

  @Test func `A problem is one line, whatever the key holds`() {
    let problems = ConfigurationInputs.stub("\"li\\nsten\\e[31m\": x").problems()
    #expect(problems.count == 1)
    #expect(problems[0].hasPrefix(#"li\u{a}sten\u{1b}[31m (revoked.yaml:1): there is no such key"#), "\(problems)")
  }
}
