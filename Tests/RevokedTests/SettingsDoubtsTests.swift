import TestSupport
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct SettingsDoubtsTests {
  private func doubts(_ inputs: ConfigurationInputs) throws -> [String] {
    try Settings.load(inputs).notices.map(\.description)
  }

  @Test func `What is usual raises no doubt`() throws {
    #expect(try doubts(.stub()).isEmpty)
    #expect(
      try doubts(
        .stub(
          "retention: 31d\nhandlers: {a: {kind: log}, b: {kind: exec, command: [logger]}}",
          environment: ["PATH": "/bin:/usr/bin"], programs: ["/usr/bin/logger": true])
      ).isEmpty)
  }

  @Test(
    arguments: [
      ("0.0.0.0:8081", nil, true), ("[::]:8081", nil, true), ("10.1.2.3:0", nil, true), ("0.0.0.0:8081", "t", false),
      ("127.0.0.2:8081", nil, false), ("127.example.com:8081", nil, true), ("[::1]:8081", nil, false),
      ("localhost:8081", nil, false), ("unix:/run/r", nil, false),
    ] as [(String, String?, Bool)])
  func `A private listener that other hosts reach without a token is doubted`(
    address: String, token: String?, isDoubted: Bool
  ) throws {
    let environment = token.map { ["REVOKED_PRIVATE_TOKEN": $0] } ?? [:]
    let doubts = try doubts(.stub(environment: environment, flags: [("private-listen", address)]))
    #expect(doubts.count == (isDoubted ? 1 : 0))
    #expect(doubts.allSatisfy { $0.hasPrefix("private-listen (flag): other hosts may reach it") })
  }

  @Test(arguments: [("29d", true), ("30d", false)])
  func `A retention below the JWT's life is doubted, with its source`(value: String, isDoubted: Bool) throws {
    let doubts = try doubts(.stub(flags: [("retention", value)]))
    #expect(doubts.count == (isDoubted ? 1 : 0))
    #expect(doubts.allSatisfy { $0.hasPrefix("retention (flag): a session's JWT lives up to 30 days") })
  }

  @Test(
    arguments: [
      ("user.session.revoked", nil), ("admin.user.session.revoked", nil), ("user.session.*", nil), ("*", nil),
      ("user.*", nil), ("wallet.linked", nil), ("wallet.*", nil), ("admin.*", nil), ("admin.user.session.*", nil),
      ("admin.user.session.deleted", nil), ("waas.*", nil),
      (
        "user.sesion.revoked",
        #""user.sesion.revoked" matches no event that is known; did you mean user.session.revoked?"#
      ),
      ("user.sessions.*", #""user.sessions.*" matches no event that is known; did you mean user.session.*?"#),
      (
        "admin.user.session.revoke",
        #""admin.user.session.revoke" matches no event that is known; did you mean admin.user.session.revoked?"#
      ),
      ("User.created", #""User.created" matches no event that is known; did you mean user.created?"#),
      ("sms.sent", #""sms.sent" matches no event that is known"#),
      ("ping", "a ping is answered and not stored, so no handler gets one"),
    ] as [(String, String?)])
  func `A pattern that matches nothing known is doubted; new events of a family with many names are not`(
    pattern: String, doubt: String?
  ) throws {
    let doubts = try doubts(.stub("handlers:\n  a:\n    kind: log\n    events: ['\(pattern)']"))
    #expect(doubts == (doubt.map { ["handlers.a.events (revoked.yaml:4): \($0)"] } ?? []))
  }

  @Test(
    arguments: [
      ("/opt/tool", nil), ("tool", nil), ("/opt/none", #""/opt/none" does not exist"#),
      ("/opt/notes", #""/opt/notes" is nothing that this user may run"#),
      ("none", #"no folder of PATH has a program "none""#), ("notes", #"no folder of PATH has a program "notes""#),
    ] as [(String, String?)])
  func `A command that nobody could run now is doubted`(program: String, doubt: String?) throws {
    let doubts = try doubts(
      .stub(
        "handlers.a: {kind: exec, command: ['\(program)']}", environment: ["PATH": "/bin:/opt"],
        programs: ["/opt/tool": true, "/opt/notes": false]))
    #expect(doubts == (doubt.map { ["handlers.a.command (revoked.yaml:1): \($0)"] } ?? []))
  }

  @Test(
    arguments: [
      ("#!/bin/sh", nil), ("#! /bin/sh -e", nil), ("#!/usr/bin/env python3", nil),
      ("#!/bin/sh\r", #""hook" has Windows line ends (CRLF), so that it cannot be run; write it with LF"#),
      ("#!/bin/sh -e\r", #""hook" has Windows line ends (CRLF), so that it cannot be run; write it with LF"#),
      ("#!/opt/python", #""hook" is a script for "/opt/python", which cannot be run"#),
      ("#!", #""hook" is a script for "", which cannot be run"#),
    ] as [(String, String?)])
  func `A script whose interpreter the kernel would not find is doubted`(line: String, doubt: String?) throws {
    let doubts = try doubts(
      .stub(
        "handlers.a: {kind: exec, command: [hook]}", environment: ["PATH": "/opt"], files: ["/opt/hook": line],
        programs: ["/opt/hook": true, "/bin/sh": true, "/usr/bin/env": true]))
    #expect(doubts == (doubt.map { ["handlers.a.command (revoked.yaml:1): \($0)"] } ?? []))
  }

  @Test func `The first line of a script is read, and of nothing else`() throws {
    let folder = try TemporaryFolder()
    let line = ConfigurationInputs().interpreterLine
    #expect(line(try folder.write("#!/bin/sh\r\nexit\r\n", to: "script")) == "#!/bin/sh\r")
    #expect(line(try folder.write("#!/bin/sh", to: "short")) == "#!/bin/sh")
    #expect(line(try folder.write("exit 0\n", to: "plain")) == nil)
    #expect(line("/bin") == nil)
    #expect(line("/bin/none-such") == nil)
  }

  @Test(arguments: [
    ("data", "'\"/var/lib/revoked\"'", "is in quotes, which count as a part of it: remove them"),
    ("data", "\"'/var/lib/revoked'\"", "is in quotes, which count as a part of it: remove them"),
    ("private-token", "'\"0123456789abcdef\"'", "is in quotes, which count as a part of it: remove them"),
    ("data", "~/revoked", "begins with ~, which only a shell replaces: write the whole path"),
    ("listen", "unix:~/revoked.sock", "begins with ~, which only a shell replaces: write the whole path"),
    ("data", "${HOME}/revoked", "holds a placeholder, such as ${NAME}, that nothing replaced"),
    ("private-token", "$TOKEN", "holds a placeholder, such as ${NAME}, that nothing replaced"),
  ])
  func `Quotes, ~ and placeholders, which only a shell takes away, are doubted wherever they stand`(
    key: String, value: String, doubt: String
  ) throws {
    #expect(try doubts(.stub("\(key): \(value)")) == ["\(key) (revoked.yaml:1): \(doubt)"])
  }

  @Test func `The same in a path of a file that is not there is said with it`() {
    let slips = [("~/none-such", "begins with ~"), ("'/none-such'", "is in quotes"), ("$F", "holds a placeholder")]
    for (path, text) in slips {
      #expect(throws: Mismatch.self) { try ConfigurationInputs().readFile(path) }
      do {
        _ = try ConfigurationInputs().readFile(path)
      } catch {
        #expect(error.text.hasPrefix("\(path) does not exist: it \(text)"), "\(error.text)")
      }
    }
  }

  @Test func `A folder is no program, nor is a file without the right to run it`() {
    let isExecutable = ConfigurationInputs().isExecutable
    #expect(isExecutable("/bin/sh") == true)
    #expect(isExecutable("/bin") == false)
    #expect(isExecutable("/etc/passwd") == false)
    #expect(isExecutable("/bin/none-such") == nil)
  }
}
