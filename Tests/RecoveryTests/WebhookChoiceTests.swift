import DynamicAPI
import Signature
import TestSupport
import Testing

@testable import Recovery

@Suite("The webhook that is ours", .timeLimit(.minutes(1)))
struct WebhookChoiceTests {
  private static let url = "https://hooks.example.com/webhooks/dynamic"

  @Test(
    arguments: [
      (id: nil, url: nil, webhooks: ["a \(url) on both"], found: "a", problem: nil),
      (
        id: nil, url: nil, webhooks: ["a \(url) on both", "b https://b.example.com/other on both"], found: "a",
        problem: nil
      ),
      (id: nil, url: nil, webhooks: ["a \(url) on both", "b \(url) on both"], found: nil, problem: .notFound(of: 2)),
      (id: nil, url: nil, webhooks: ["a \(url) on one"], found: nil, problem: .notFound(of: 1)),
      (id: nil, url: nil, webhooks: [], found: nil, problem: .missing),
      (id: nil, url: nil, webhooks: ["a \(url) off both"], found: "a", problem: .disabled),
      (id: nil, url: url, webhooks: ["a \(url) on one"], found: "a", problem: .lacks(["admin.user.session.revoked"])),
      (id: nil, url: url, webhooks: ["a \(url) off both", "b \(url) on both"], found: "b", problem: nil),
      (id: nil, url: "https://else.example.com/", webhooks: ["a \(url) on both"], found: nil, problem: .missing),
      (
        id: "b", url: url, webhooks: ["a \(url) on both", "b https://b.example.com/x on both"], found: "b",
        problem: .elsewhere(url: "https://b.example.com/x")
      ),
      (id: "c", url: nil, webhooks: ["a \(url) on both"], found: nil, problem: .missing),
    ] as [(id: String?, url: String?, webhooks: [String], found: String?, problem: WebhookProblem?)])
  func `is found, or it is said why not`(
    id: String?, url: String?, webhooks: [String], found: String?, problem: WebhookProblem?
  ) async throws {
    let dynamic = try StandInDynamic()
    dynamic.change { state in
      state.webhooks = webhooks.map { line in
        let words = line.split(separator: " ").map(String.init)
        var webhook = StandInDynamic.Webhook()
        (webhook.id, webhook.url, webhook.isEnabled) = (words[0], words[1], words[2] == "on")
        if words[3] == "one" { webhook.events = ["user.session.revoked"] }
        return webhook
      }
    }
    var access = DynamicAPI.Access(token: try Secret(dynamic.state.token), environment: StandInDynamic.environment)
    access.url = dynamic.apiURL
    let all = try await DynamicAPI(access).webhooks()
    let choice = WebhookChoice(id: id, publicURL: url, path: "/webhooks/dynamic")
    #expect(choice.webhook(in: all)?.id == found)
    #expect(choice.problem(in: all) == problem)
  }
}
