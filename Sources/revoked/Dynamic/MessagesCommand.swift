internal import ArgumentParser
internal import DynamicAPI
internal import DynamicEvents
internal import Foundation

struct ListMessagesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "messages", abstract: "Lists the messages that Dynamic could not deliver, the newest first.",
    discussion: """
      Those whose newest attempt failed. Dynamic keeps them for 30 days (sandbox) or 90 days (live). `revoked \
      catch-up` fetches what was in them; `webhook redeliver` has Dynamic send them again.
      """)

  @OptionGroup var listing: ListingOptions
  @OptionGroup var webhook: WebhookOptions

  func run() async throws {
    let settings = try webhook.options.load()
    let api = try settings.dynamicAPI()
    let found = try await webhook.find(api, settings)
    var rest = try await FailedMessages.read(api, of: found)[...]
    var list = Listing(listing, header: MessageReport.header, none: "no failed messages")
    while let limit = list.next {
      try list.show(Array(rest.prefix(limit)))
      rest = rest.dropFirst(limit)
    }
  }
}

struct RedeliverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redeliver", abstract: "Has Dynamic send messages again.",
    discussion: """
      The server takes each event once, however often it comes. Exit 0: Dynamic has taken every order; what becomes of \
      it is in `webhook messages`.
      """)

  @Argument(help: ArgumentHelp("Message ids, as `webhook messages` shows them.", valueName: "message-id"))
  var messages: [String] = []

  @Flag(help: "All whose newest attempt failed.")
  var failed = false

  @Flag(help: "For machines: the result as one line of JSON.")
  var json = false

  @OptionGroup var webhook: WebhookOptions

  func validate() throws {
    guard messages.isEmpty == failed else {
      throw ValidationError("say which messages: their ids, or --failed for all that failed")
    }
  }

  func run() async throws {
    let settings = try webhook.options.load()
    let api = try settings.dynamicAPI()
    let found = try await webhook.find(api, settings)
    let ids = failed ? try await FailedMessages.read(api, of: found).map(\.messageId) : messages
    var progress = ProgressBar(total: ids.count)
    var done = 0
    for id in ids {
      do throws(APIError) {
        try await api.redeliver(id, of: found.id)
      } catch {
        progress.clear()
        Notice.say("message \(id.visible()): not sent again: \(error.advice(.writeWebhooks))")
        if error.concernsEveryCall { break }
        continue
      }
      done += 1
      if failed { progress.show(done) } else if !json { try Output.line("message \(id.visible()): sent again") }
    }
    progress.clear()
    if json {
      try Output.line(JSON.line(["asked": ids.count, "redelivered": done]))
    } else if failed {
      try Output.line("Dynamic sends \(done) of \(ids.count) messages again")
    }
    if done < ids.count { throw Failure.no }
  }
}

enum FailedMessages {
  /// Those whose newest attempt failed, the newest first. The order of the pages is not documented, so that all are
  /// read.
  static func read(_ api: DynamicAPI, of webhook: Webhook) async throws -> [MessageReport] {
    var newest: [String: MessageReport] = [:]
    var pages = api.messages(of: webhook.id)
    do throws(APIError) {
      while let page = try await pages.next() {
        for attempt in page {
          var report = MessageReport(attempt)
          if let known = newest[report.messageId] {
            if report.isBefore(known) { report = known }
            report.attempts = known.attempts + 1
          }
          newest[report.messageId] = report
        }
      }
    } catch {
      throw error.failure("the messages were not listed", .readWebhooks)
    }
    return newest.values.filter { !$0.wasDelivered }.sorted { $1.isBefore($0) }
  }
}

/// A message and its newest attempt, as `webhook messages` shows it. All texts are Dynamic's.
struct MessageReport: Report {
  private enum CodingKeys: CodingKey {
    case messageId, eventId, createdAt, status, responseStatus, attempts
  }

  let messageId: String
  let eventId: String?
  /// When the newest attempt was made.
  let createdAt: String?
  let status: String?
  /// What the endpoint answered.
  let responseStatus: Int?
  var attempts = 1
  let wasDelivered: Bool
  private let time: Int64

  init(_ message: WebhookMessage) {
    messageId = message.messageID
    eventId = message.eventID
    createdAt = message.createdAt.map { "\($0)" }
    status = message.status
    responseStatus = message.responseStatus
    wasDelivered = message.wasDelivered
    time = message.createdAt?.milliseconds ?? .min
  }

  func isBefore(_ other: MessageReport) -> Bool { (time, messageId) < (other.time, other.messageId) }
}

extension MessageReport {
  static let header = "MESSAGE".column(36) + " " + "ATTEMPTED".column(24) + " TIMES ANSWER EVENT"

  var rows: [String] {
    let columns = [
      messageId.visible().column(36), (createdAt ?? "-").column(24), "\(attempts)".column(5),
      (responseStatus.map { "\($0)" } ?? status ?? "-").visible().column(6), (eventId ?? "-").visible(),
    ]
    return [columns.joined(separator: " ")]
  }

  var lines: [String] { rows }
}
