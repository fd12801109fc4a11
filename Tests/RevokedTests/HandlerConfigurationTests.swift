import Foundation
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct HandlerConfigurationTests {
  /// Reads `text` as the values below `handlers.audit.`.
  private func read(_ text: String, files: [String: String] = [:]) -> HandlerReading {
    let inputs = ConfigurationInputs.stub("handlers.audit: {\(text)}", files: files)
    let file = ConfigurationFile("handlers.audit: {\(text)}", name: "revoked.yaml")
    let values = file.values.map { ($0.key.replacing("handlers.audit.", with: ""), $0.value) }
    return HandlerReading("audit", Dictionary(uniqueKeysWithValues: values), readFile: inputs.readFile)
  }

  @Test func `A log handler needs nothing but its kind`() throws {
    let settings = try Settings.load(.stub("handlers: {audit: {kind: log}}"))
    let handler = try #require(settings.handlers.first)
    guard case .log = handler.kind else {
      Issue.record("the kind is \(handler.kind)")
      return
    }
    #expect(handler.name == "audit")
    #expect(handler.events == ["user.session.revoked", "admin.user.session.revoked"])
  }

  @Test func `File, environment and flag may each say a part; handlers come by name`() throws {
    let settings = try Settings.load(
      .stub(
        "handlers:\n  b:\n    kind: log\n    events: [ping]\n  a.kind: log",
        environment: [
          "REVOKED_HANDLERS_B_EVENTS": "user.*, ping", "REVOKED_HANDLERS_C_D_KIND": "log",
        ], flags: [("handlers.a.events", "*")]))
    #expect(settings.handlers.map(\.name) == ["a", "b", "c-d"])
    #expect(settings.handlers.map(\.events) == [["*"], ["user.*", "ping"], HandlerDraft.standardEvents])
    #expect(settings.source(of: "handlers.b.events") == "environment REVOKED_HANDLERS_B_EVENTS")
  }

  @Test(
    arguments: [
      (ConfigurationValue(content: .list(["a", "b c"]), source: .file("f", line: 1)), ["a", "b c"]),
      (.text("a  b", .flag), ["a", "b"]), (.text(#"["a", "b c"]"#, .environment("X")), ["a", "b c"]),
      (.text("a b", .file("f", line: 1)), nil), (.text(#"["a", 1]"#, .flag), nil), (.text("[a", .flag), nil),
      (.text(" ", .flag), nil), (.text(#"[""]"#, .flag), nil), (.text("[]", .flag), nil),
      (.text(#"["a\u0000"]"#, .flag), nil),
    ] as [(ConfigurationValue, [String]?)])
  func `A command is an array in a file, and a JSON array or words elsewhere`(
    value: ConfigurationValue, words: [String]?
  ) {
    #expect((try? ValueParser.command.parse(value)) == words)
  }

  @Test(arguments: [
    ("ping", true), ("user.session.revoked", true), ("user.session.*", true), ("*", true), ("user.*.revoked", false),
    ("*.revoked", false), ("user.", false), (".user", false), ("user..x", false), ("user.ses*", false), ("**", false),
    ("ü", false), ("", false),
  ])
  func `A pattern has a star in place of the last parts, or none`(pattern: String, isFine: Bool) {
    let value = ConfigurationValue(content: .list([pattern]), source: .flag)
    #expect(((try? ValueParser.eventPatterns.parse(value)) != nil) == isFine)
  }

  @Test(
    arguments: [
      ("events: [ping]", ["kind: is missing: log, exec or forward"]),
      ("kind: webhook", [#"kind (revoked.yaml:1): "webhook" is not log, exec or forward"#]),
      (
        "kind: log, command: [a], timeout: 1s",
        [
          "command (revoked.yaml:1): is not for the kind log", "timeout (revoked.yaml:1): is not for the kind log",
        ]
      ),
      ("kind: exec", ["command: is missing: the program to run and its arguments, as an array"]),
      (
        "kind: exec, command: a",
        [#"command (revoked.yaml:1): "a" is not an array, such as ["/usr/bin/logger", "-t", "revoked"]"#]
      ),
      (
        "kind: exec, command: [a], url: b, concurrency: 0",
        [
          "url (revoked.yaml:1): is not for the kind exec",
          #"concurrency (revoked.yaml:1): "0" is not a number from 1 to 256"#,
        ]
      ),
      (
        "kind: forward",
        [
          "url: is missing: where the events are posted to",
          "secret: is missing: whsec_ and base64, here or in the file that secret-file names",
        ]
      ),
      (
        "kind: forward, url: 'http://a.example', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        [
          "url (revoked.yaml:1): is not https; write insecure: true below the handler if the way there is private"
        ]
      ),
      (
        "kind: forward, url: 'https://me:pw@a.example', secret-file: s",
        [
          "url (revoked.yaml:1): holds a user or a password; deliveries are signed instead"
        ]
      ),
      (
        "kind: forward, url: /a, secret: short, insecure: yes",
        [
          "url (revoked.yaml:1): is not a URL such as https://example.com/revoked",
          "secret (revoked.yaml:1): is not whsec_ and base64 behind it",
          #"insecure (revoked.yaml:1): "yes" is not true or false"#,
        ]
      ),
      (
        "kind: forward, url: 'https://a.example', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, secret-file: s",
        [
          "secret-file (revoked.yaml:1): stands beside secret; remove one of the two"
        ]
      ),
      (
        "kind: forward, url: 'https://a.example', secret-file: gone",
        ["secret-file (revoked.yaml:1): gone does not exist"]
      ),
      ("kind: forward, url: 'https://a.example', secret-file: two", []),
      (
        "kind: forward, url: 'https://a.example', secret-file: none",
        ["secret-file (revoked.yaml:1): must be 1 to 8 secrets"]
      ),
      (
        "kind: forward, url: 'https://a.example', secret-file: wrong",
        ["secret-file (revoked.yaml:1): number 2 of 2 has a key of 3 bytes; it needs at least 16"]
      ),
      (
        "kind: forward, url: 'https://a.example', secret: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, "
          + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]",
        ["secret (revoked.yaml:1): number 2 of 2 is not whsec_ and base64 behind it"]
      ),
      (
        "kind: forward, url: 'http://[2001:db8::1]/', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        [
          "url (revoked.yaml:1): is not https; write insecure: true below the handler if the way there is private"
        ]
      ),
      ("kind: forward, url: 'http://a.example:1/b', secret-file: s, insecure: true, timeout: 5s, max-attempts: 1", []),
    ] as [(String, [String])])
  func `What a handler lacks or has too much`(text: String, expected: [String]) {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    let reading = read(
      text,
      files: [
        "s": "# one\n\(secret)\n", "two": "\(secret)\n\(secret)", "none": "# none", "wrong": "\(secret)\nwhsec_AAAA",
      ])
    #expect(reading.problems.map(\.description) == expected.map { "handlers.audit.\($0)" })
  }

  @Test(arguments: [
    ("localhost", true), ("127.0.0.1", true), ("127.9.9.9:8080", true), ("10.1.2.3", true), ("192.168.0.1", true),
    ("172.16.0.1", true), ("172.31.0.1", true), ("172.32.0.1", false), ("172.15.0.1", false), ("192.169.0.1", false),
    ("8.8.8.8", false), ("10.1.2", false), ("10.1.2.3.4", false), ("10.1.2.example", false),
    ("127.0.0.1.example", false),
    ("010.1.2.3", false), ("0.0.0.0", false), ("localhost.example", false), ("backend", false), ("[::1]", true),
    ("[::1]:8080", true), ("[fd00::7]", true),
    ("[fe80::1]", false), ("[2001:db8::1]", false), ("[::2]", false), ("[::ffff:127.0.0.1]", false),
  ])
  func `Plain http is for this host and private addresses`(host: String, isFine: Bool) {
    let reading = read("kind: forward, url: 'http://\(host)/', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    #expect((reading.definition != nil) == isFine)
  }

  @Test(arguments: [
    ("a", true), ("7", true), ("a-b-", true), (String(repeating: "a", count: 63), true), ("", false), ("-a", false),
    ("A", false), ("a_b", false), ("a b", false), ("ä", false), (String(repeating: "a", count: 64), false),
  ])
  func `A handler's name fits into a metric, a variable and a path`(name: String, isFine: Bool) {
    #expect(HandlerKey.isName(name) == isFine)
    let problems = ConfigurationInputs.stub("handlers: {'\(name)': {kind: log}}").problems()
    #expect(problems.isEmpty == isFine)
  }

  @Test func `An unknown key of a handler finds the one that was meant`() {
    #expect(
      ConfigurationInputs.stub("handlers.a: {kind: log, event: x}").problems() == [
        "handlers.a.event (revoked.yaml:1): there is no such key; did you mean handlers.a.events?"
      ])
  }
}
