import Foundation
import TestSupport
import Testing

@Suite("The watch over the webhook at Dynamic", .timeLimit(.minutes(5)))
struct WebhookWatchTests {
  @Test func `sees that it was switched off, fetches what it skips, and leaves it off unless told otherwise`() throws {
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    let events = dynamic.state.webhooks[0].events + ["user.created"]
    dynamic.change { $0.webhooks[0].events = events }
    let server = try dynamic.server(in: folder)
    #expect(server.log.wait { $0.contains("the webhook at Dynamic is enabled, with both events") })
    #expect(try server.metric("revoked_webhook_enabled") == 1)
    dynamic.change { $0.webhooks[0].isEnabled = false }
    let skipped = try dynamic.revoke(20, asMessages: false)
    #expect(server.log.wait { $0.contains("the webhook is switched off at Dynamic") })
    #expect(try server.metric("revoked_webhook_enabled") == 0)
    #expect(try eventually { try server.refused(skipped) == 20 })
    // Said once, however many checks there are.
    let checks = dynamic.count("/webhooks")
    #expect(eventually { dynamic.count("/webhooks") > checks + 6 })
    #expect(server.count(inLog: "Dynamic does not deliver revocations here") == 1)
    #expect(!dynamic.state.webhooks[0].isEnabled)
    server.signal(SIGTERM)
    #expect(server.exit() == 0)

    let mending = try dynamic.server(in: folder, ["REVOKED_DYNAMIC_RE_ENABLE": "true"])
    #expect(mending.log.wait { $0.contains("the webhook at Dynamic is enabled, with both events") })
    #expect(try mending.metric("revoked_webhook_enabled") == 1)
    let webhook = dynamic.state.webhooks[0]
    #expect(webhook.isEnabled)
    #expect(webhook.url == StandInDynamic.Webhook().url)
    #expect(webhook.events == events)
  }

  struct Fault: Sendable, CustomStringConvertible {
    let says: String
    let change: @Sendable (inout StandInDynamic.Webhook) -> Void

    init(says: String, _ change: @escaping @Sendable (inout StandInDynamic.Webhook) -> Void) {
      self.says = says
      self.change = change
    }

    var description: String { says }
  }

  @Test(arguments: [
    Fault(says: "posts to another URL than public-url: https://old.example.com/webhooks/dynamic") {
      $0.url = "https://old.example.com/webhooks/dynamic"
    },
    Fault(says: "there is no webhook for this receiver") { $0.id = "44444444-4444-4444-8444-444444444444" },
    Fault(says: "does not have the events admin.user.session.revoked") { $0.events = ["user.session.revoked"] },
    Fault(says: "switched off") { $0.isEnabled = false },
  ])
  func `says what is wrong with it, and that it is mended`(fault: Fault) throws {
    let dynamic = try StandInDynamic()
    dynamic.change { fault.change(&$0.webhooks[0]) }
    let server = try dynamic.server(
      in: TemporaryFolder(),
      [
        "REVOKED_PUBLIC_URL": StandInDynamic.Webhook().url, "REVOKED_DYNAMIC_WEBHOOK_ID": StandInDynamic.Webhook().id,
      ])
    #expect(server.log.wait { $0.contains(fault.says) })
    #expect(try server.metric("revoked_webhook_enabled") == 0)
    dynamic.change { $0.webhooks = [StandInDynamic.Webhook()] }
    #expect(server.log.wait { $0.contains("the webhook at Dynamic is enabled, with both events") })
    #expect(try server.metric("revoked_webhook_enabled") == 1)
  }
}
