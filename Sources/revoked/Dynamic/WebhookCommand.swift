internal import ArgumentParser
internal import DynamicAPI
internal import Foundation
internal import Receiver
internal import Recovery

struct WebhookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "webhook", abstract: "Registers and looks after the webhook at Dynamic.",
    discussion: """
      Needs dynamic.api-token and dynamic.environment-id. list, show and messages need the scope \
      environment.webhooks.read, the others environment.webhooks.write. Exit 69 where Dynamic's API cannot be reached.
      """,
    subcommands: [
      ListWebhooksCommand.self, ShowWebhookCommand.self, RegisterWebhookCommand.self, EnableWebhookCommand.self,
      ListMessagesCommand.self, RedeliverCommand.self,
    ])
}

/// What the commands about one webhook have in common.
struct WebhookOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A webhook's id, as `webhook list` shows it; else the one that posts to this receiver.", valueName: "id"))
  var webhook: String?

  @OptionGroup var options: OutgoingOptions

  /// The webhook that is meant. Ends the command with 1 where it cannot be told.
  func find(_ api: DynamicAPI, _ settings: Settings) async throws -> Webhook {
    let choice = settings.webhookChoice
    let all: [Webhook]
    do throws(APIError) {
      if let webhook { return try await api.webhook(webhook.lowercased()) }
      all = try await api.webhooks()
    } catch {
      throw error.failure("the webhook was not found", .readWebhooks)
    }
    if let ours = choice.webhook(in: all) { return ours }
    throw Failure.no(choice.problem(in: all)?.description ?? "there is no webhook")
  }
}

extension Settings {
  /// Which of the environment's webhooks is ours.
  var webhookChoice: WebhookChoice {
    WebhookChoice(id: dynamic.webhookID, publicURL: dynamic.publicURL, path: receiver.path)
  }
}

struct ListWebhooksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the environment's webhooks. Ours is marked with *.")

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  @OptionGroup var options: OutgoingOptions

  func run() async throws {
    let settings = try options.load()
    let api = try settings.dynamicAPI()
    let all: [Webhook]
    do throws(APIError) {
      all = try await api.webhooks()
    } catch {
      throw error.failure("the webhooks were not listed", .readWebhooks)
    }
    let ours = settings.webhookChoice.webhook(in: all)?.id
    let reports = all.map { WebhookReport($0, isOurs: $0.id == ours) }
    if json { return try reports.forEach { try Output.line(JSON.line($0)) } }
    if reports.isEmpty { return try Output.line("no webhooks") }
    try Output.line(WebhookReport.header)
    for report in reports { for row in report.rows { try Output.line(row) } }
  }
}

struct ShowWebhookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the webhook, and what keeps revocations from coming by it.",
    discussion: "Exit 0: revocations can come; 1: they cannot, and what it says tells why.")

  @Flag(help: "For machines: one line of JSON.")
  var json = false

  @OptionGroup var webhook: WebhookOptions

  func run() async throws {
    let settings = try webhook.options.load()
    let api = try settings.dynamicAPI()
    let found = try await webhook.find(api, settings)
    let choice = settings.webhookChoice
    let isOurs = webhook.webhook == nil || found.id == choice.id || choice.id == nil && found.url == choice.publicURL
    let problem = WebhookChoice(id: found.id, publicURL: isOurs ? choice.publicURL : nil, path: choice.path)
      .problem(in: [found])
    let report = WebhookReport(found, isOurs: isOurs, problem: problem?.description)
    try Output.line(json ? JSON.line(report) : report.lines.joined(separator: "\n"))
    if problem != nil { throw Failure.no }
  }
}

struct EnableWebhookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Turns the webhook on, with both events of a revoked session.",
    discussion: """
      Dynamic switches a webhook off after too many failures, and skips its events meanwhile: `revoked catch-up` \
      fetches them, and a server with dynamic.check-every does by itself.
      """)

  @Flag(help: "For machines: one line of JSON.")
  var json = false

  @OptionGroup var webhook: WebhookOptions

  func run() async throws {
    let settings = try webhook.options.load()
    let api = try settings.dynamicAPI()
    let found = try await webhook.find(api, settings)
    let changed: Webhook?
    do throws(APIError) {
      changed = try await api.complete(found)
    } catch {
      throw error.failure("the webhook was not turned on", .writeWebhooks)
    }
    if json { return try Output.line(JSON.line(WebhookReport(changed ?? found, isOurs: true))) }
    try Output.line("webhook \(found.id.visible()) \(changed == nil ? "was on already" : "turned on")")
  }
}

extension DynamicAPI {
  /// Has the webhook be on and have both events, beside those that it has.
  ///
  /// - Returns: what it is now; `nil`: it was so before, and nothing was changed.
  func complete(_ webhook: Webhook) async throws(APIError) -> Webhook? {
    guard webhook.isEnabled != true || !webhook.missingEvents.isEmpty else { return nil }
    return try await updateWebhook(
      webhook.id, url: webhook.url, isEnabled: true, events: webhook.events + webhook.missingEvents)
  }
}

/// A webhook, as `webhook` shows it. All texts are Dynamic's.
struct WebhookReport: Report {
  let webhookId: String
  let url: String
  let events: [String]
  /// Absent where Dynamic does not say.
  let isEnabled: Bool?
  let enabledAt: String?
  let updatedAt: String?
  let isOurs: Bool
  /// Why revocations cannot come by it.
  let problem: String?

  init(_ webhook: Webhook, isOurs: Bool, problem: String? = nil) {
    webhookId = webhook.id
    url = webhook.url
    events = webhook.events
    isEnabled = webhook.isEnabled
    enabledAt = webhook.enabledAt
    updatedAt = webhook.updatedAt
    self.isOurs = isOurs
    self.problem = problem
  }
}

extension WebhookReport {
  static let header = "  " + "ID".column(36) + " STATE   URL"

  private var state: String { isEnabled.map { $0 ? "on" : "off" } ?? "unknown" }

  var rows: [String] {
    ["\(isOurs ? "*" : " ") \(webhookId.visible().column(36)) \(state.column(7)) \(url.visible())"]
  }

  var lines: [String] {
    let fields: [(String, String?)] = [
      ("webhookId", webhookId + (isOurs ? " (ours)" : "")), ("url", url), ("state", state),
      ("enabled", enabledAt), ("updated", updatedAt), ("events", events.joined(separator: ", ")), ("problem", problem),
    ]
    return fields.compactMap { name, value in value.map { name.column(10) + $0.visible() } }
  }
}
