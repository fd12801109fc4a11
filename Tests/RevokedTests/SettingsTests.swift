import HTTPMessage
import HTTPServer
import Logging
import Receiver
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct SettingsTests {
  @Test func `The table's defaults are the receiver's own`() throws {
    let settings = try Settings.load(.stub())
    let receiver = ReceiverConfiguration(secrets: [])
    #expect(settings.receiver.listen == receiver.listen)
    #expect(settings.receiver.privateListen == receiver.privateListen)
    #expect(settings.receiver.privateToken == nil)
    #expect(settings.receiver.path == receiver.path)
    #expect(settings.receiver.data == receiver.data)
    #expect(settings.receiver.retention == receiver.retention)
    #expect(settings.receiver.limits == receiver.limits)
    #expect(settings.receiver.drainTimeout == receiver.drainTimeout)
    #expect(settings.logLevel == .info)
    #expect(settings.logFormat == .json)
    #expect(settings.handlers.isEmpty)
  }

  @Test func `A terminal gets text, unless it was told otherwise`() throws {
    #expect(try Settings.load(.stub(terminal: true)).logFormat == .text)
    #expect(try Settings.load(.stub(environment: ["REVOKED_LOG_FORMAT": "json"], terminal: true)).logFormat == .json)
  }

  @Test func `A flag beats the environment, the environment the file, the file the default`() throws {
    let settings = try Settings.load(
      .stub(
        "data: /file\npath: /file\nlisten: 127.0.0.1:1",
        environment: ["REVOKED_DATA": "/environment", "REVOKED_PATH": "/environment"],
        flags: [("data", "/first"), ("data", "/flag")]))
    #expect(settings.receiver.data == "/flag")
    #expect(settings.receiver.path == "/environment")
    #expect(settings.receiver.listen == .tcp(host: "127.0.0.1", port: 1))
    #expect(settings.receiver.privateListen == .tcp(host: "127.0.0.1", port: 8081))
    #expect(settings.source(of: "data") == "flag")
    #expect(settings.source(of: "path") == "environment REVOKED_PATH")
    #expect(settings.source(of: "listen") == "file revoked.yaml:3")
    #expect(settings.source(of: "private-listen") == "default")
  }

  @Test func `Only the value that counts is checked`() {
    #expect(ConfigurationInputs.stub("retention: never", environment: ["REVOKED_RETENTION": "1d"]).problems().isEmpty)
  }

  @Test func `Every problem is reported at once, with its key and its source`() {
    let inputs = ConfigurationInputs.stub(
      """
      limits:
        body: lots
      log.level: loud
      tiemouts: {}
      """,
      environment: ["REVOKED_TIMEOUTS_IDLE": "75", "REVOKED_LISTENN": "x"], flags: [("path", "hook")])
    #expect(
      inputs.problems(requiring: [.secrets]) == [
        "tiemouts (revoked.yaml:4): there is no such key; did you mean timeouts?",
        "REVOKED_LISTENN: no key has this variable; did you mean REVOKED_LISTEN?",
        "path (flag): \"hook\" is not a path that starts with / and holds only what a URL's path may; "
          + "percent-encode the rest",
        "limits.body (revoked.yaml:2): \"lots\" is not a number of bytes from 1024 to 67108864",
        "timeouts.idle (REVOKED_TIMEOUTS_IDLE): \"75\" has no unit: write 75s, or use ms, m, h or d",
        "log.level (revoked.yaml:3): \"loud\" is not one of trace, debug, info, notice, warning, error, critical",
        "secrets: there is none; \(Settings.howToSetSecrets)",
      ])
  }

  @Test(arguments: [
    ("limits.body", "0"), ("limits.body", "1023"), ("limits.body", "67108865"), ("limits.body", "-1"),
    ("limits.body", "1e6"),
    ("limits.header", "1023"), ("limits.header", "65536"), ("limits.header", "64KiB"),
    ("limits.connections", "0"), ("limits.connections", "1000001"), ("limits.connections", "+5"),
    ("limits.connections", ""), ("timeouts.header", "0s"), ("timeouts.header", "61m"), ("timeouts.drain", "-1s"),
    ("retention", "3651d"), ("path", "/healthz"), ("path", ""), ("path", "/a?b"), ("path", "/a#b"), ("path", "/a b"),
    ("path", "/ä"), ("path", "/a\n"), ("data", ""), ("listen", "8080"), ("listen", "unix:"), ("log.format", "xml"),
    ("log.level", "INFO"),
  ])
  func `A value out of bounds is refused`(key: String, value: String) {
    let problems = ConfigurationInputs.stub(flags: [(key, value)]).problems()
    #expect(problems.count == 1)
    #expect(problems.allSatisfy { $0.hasPrefix("\(key) (flag): ") && !$0.contains("\n") })
  }

  @Test(arguments: [
    ("limits.body", "1KiB"), ("limits.body", "64MiB"), ("limits.header", "65535"), ("limits.connections", "1000000"),
    ("timeouts.header", "1ms"), ("timeouts.header", "60m"), ("retention", "3650d"), ("path", "/"),
    ("listen", "[::1]:0"), ("private-listen", "unix:/run/revoked.sock"),
  ])
  func `A value at its bound is taken`(key: String, value: String) {
    #expect(ConfigurationInputs.stub(flags: [(key, value)]).problems().isEmpty)
  }

  @Test(arguments: [
    ("127.0.0.1:9", "127.0.0.1:9", false), ("unix:/a", "unix:/a", false), ("127.0.0.1:0", "127.0.0.1:0", true),
    ("127.0.0.1:9", "127.0.0.1:10", true), ("unix:/a", "unix:/b", true),
  ])
  func `The listeners need different addresses`(public listen: String, private privateListen: String, isFine: Bool) {
    let problems = ConfigurationInputs.stub("listen: \(listen)\nprivate-listen: \(privateListen)").problems()
    let expected = "private-listen (revoked.yaml:2): \(listen) is the address of listen too; "
    #expect(problems == (isFine ? [] : [expected + "each listener needs its own"]))
  }

  @Test func `An address that the default of the other listener has is a conflict, too`() {
    #expect(
      ConfigurationInputs.stub("listen: 127.0.0.1:8081").problems() == [
        "private-listen (revoked.yaml:1): 127.0.0.1:8081 is the address of listen too; each listener needs its own"
      ])
  }

  @Test func `A flag that names no key, a section or a secret is refused, and the secret stays untold`() {
    let inputs = ConfigurationInputs.stub(flags: [
      ("limit.body", "1"), ("body", "1"), ("limits", "1"), ("secrets", "dyn_0123456789abcdef"), ("zzz", "1"),
    ])
    #expect(
      inputs.problems() == [
        "limit.body (flag): there is no such key; did you mean limits.body?",
        "body (flag): there is no such key; did you mean limits.body?",
        "limits (flag): is a section; set one of its keys",
        "secrets (flag): a secret is not taken from the command line, where every user can read it",
        "zzz (flag): there is no such key",
      ])
  }

  @Test func `No two keys share a variable`() {
    #expect(Set(Settings.keys.map { environmentName(of: $0.name) }).count == Settings.keys.count)
  }
}
