import Foundation
import TestSupport
import Testing

@Suite("webhook list, show, enable, messages and redeliver", .timeLimit(.minutes(5)))
struct WebhookTests {
  static let ours = "33333333-3333-4333-8333-333333333333"
  static let other = "66666666-6666-4666-8666-666666666666"

  private let folder: TemporaryFolder
  private let api: StandInWebhooks

  init() throws {
    folder = try TemporaryFolder()
    api = try StandInWebhooks([
      .init(webhookId: Self.other, url: "https://elsewhere.example.com/hook\u{1b}[2J", events: ["user.created"]),
      .init(webhookId: Self.ours, url: StandInWebhooks.url),
    ])
  }

  private func run(_ arguments: String...) throws -> Executable.Result { try run(arguments) }

  private func run(_ arguments: [String]) throws -> Executable.Result {
    try Executable.run(["webhook"] + arguments, environment: api.variables(folder))
  }

  @Test func `list marks which one is ours`() throws {
    let result = try run("list")
    #expect(
      result.output == """
          ID                                   STATE   URL
          \(Self.other) on      https://elsewhere.example.com/hook\\u{1b}[2J
        * \(Self.ours) on      \(StandInWebhooks.url)

        """)
    let json = try run("list", "--json").output.split(separator: "\n")
    #expect(json.count == 2)
    #expect(json[1].contains(#""isOurs":true"#) && json[1].contains(#""webhookId":"\#(Self.ours)""#))
    #expect(json[0].contains(#""isOurs":false"#))
  }

  @Test func `show says what keeps revocations from coming, and enable mends it`() throws {
    #expect(try run("show").status == 0)
    api.change {
      $0.webhooks[1].isEnabled = false
      $0.webhooks[1].events = ["user.created", "user.session.revoked"]
    }
    // Without both events, only its id or its URL says that it is ours.
    let ours = ["--set", "public-url=\(StandInWebhooks.url)"]
    let off = try run(["show"] + ours)
    #expect(off.status == 1 && off.output.contains("switched off"), "\(off)")
    #expect(try run(["show", "--json"] + ours).output.contains(#""isEnabled":false"#))
    #expect(try run(["enable"] + ours).output == "webhook \(Self.ours) turned on\n")
    #expect(api.state.webhooks[1].isEnabled)
    #expect(api.state.webhooks[1].events == ["user.created", "user.session.revoked", "admin.user.session.revoked"])
    #expect(api.state.webhooks[1].url == StandInWebhooks.url)
    #expect(try run("enable").output == "webhook \(Self.ours) was on already\n")
    #expect(try run("show").status == 0)
  }

  @Test func `Where ours cannot be told, the commands say how to name it`() throws {
    api.change { $0.webhooks[0] = .init(webhookId: Self.other, url: "https://b.example.com/webhooks/dynamic") }
    let result = try run("enable")
    #expect(result.status == 1 && result.errors.contains("dynamic.webhook-id"), "\(result)")
    #expect(try run("show", "--webhook", Self.other).status == 0)
    #expect(try run("show", "--set", "public-url=\(StandInWebhooks.url)").output.contains(Self.ours))
    let unknown = try run("show", "--webhook", "99999999-9999-4999-8999-999999999999")
    #expect(unknown.status == 1 && unknown.errors.contains("does not know it (404): no such webhook"))
    api.change { $0.webhooks = [] }
    #expect(try run("list").output == "no webhooks\n")
    #expect(try run("show").errors.contains("register"))
  }

  private func attempt(_ message: String, _ minute: Int, status: Int) -> String {
    #"{"messageId":"\#(message)","eventId":"e-\#(message)","status":"\#(status == 200 ? "success" : "failed")","#
      + #""createdAt":"2026-11-01T00:0\#(minute):00.000Z","response":{"status":\#(status)}}"#
  }

  @Test func `messages shows those whose newest attempt failed, and redeliver has them sent again`() throws {
    api.change {
      $0.messages = [
        attempt("m1", 1, status: 503), attempt("m2", 2, status: 500), attempt("m1", 3, status: 200),
        attempt("m3", 4, status: 404), attempt("m2", 0, status: 200), attempt("m3", 2, status: 503),
      ]
    }
    let list = try run("messages")
    #expect(list.status == 0, "\(list)")
    let rows = list.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ").map(String.init) }
    #expect(
      rows == [
        ["m3", "2026-11-01T00:04:00.000Z", "2", "404", "e-m3"], ["m2", "2026-11-01T00:02:00.000Z", "2", "500", "e-m2"],
      ])
    #expect(
      try run("messages", "--json", "--limit", "1").output
        == #"{"attempts":2,"createdAt":"2026-11-01T00:04:00.000Z","eventId":"e-m3","messageId":"m3","#
        + #""responseStatus":404,"status":"failed"}"# + "\n")

    let one = try run("redeliver", "m1", "nonsense", "m2")
    #expect(one.status == 1 && one.errors.contains("message nonsense: not sent again: "), "\(one)")
    #expect(api.state.redelivered == ["m1", "m2"])
    #expect(try run("redeliver", "--failed").output == "Dynamic sends 2 of 2 messages again\n")
    #expect(api.state.redelivered == ["m1", "m2", "m3", "m2"])
    #expect(try run("redeliver", "--failed", "--json").output == #"{"asked":2,"redelivered":2}"# + "\n")
    #expect(try run("redeliver").status == 64)
    #expect(try run("redeliver", "m1", "--failed").status == 64)
    api.change { $0.messages = [] }
    #expect(try run("messages").output == "no failed messages\n")
  }

  @Test func `An order to send again that may have arrived is not given twice`() throws {
    api.change { state in
      state.messages = [attempt("m1", 1, status: 503), attempt("m2", 1, status: 503)]
      state.answer = { $0.path.hasSuffix("/redeliver") ? StandInResponse(500, "oops") : nil }
    }
    let result = try run("redeliver", "m1", "m2")
    #expect(result.status == 1 && result.errors.contains("(500)"), "\(result)")
    #expect(api.state.requests.count { $0.hasSuffix("/redeliver") } == 1)
  }

  @Test func `An API that is not there ends with 69`() throws {
    let variables = api.variables(folder).merging(["REVOKED_DYNAMIC_API_URL": "http://127.0.0.1:1"]) { $1 }
    let result = try Executable.run(["webhook", "list"], environment: variables)
    #expect(result.status == 69 && result.errors.contains("not reachable"), "\(result)")
  }
}
