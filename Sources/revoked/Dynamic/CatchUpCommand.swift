internal import ArgumentParser
internal import DynamicAPI
internal import DynamicEvents
internal import Foundation
internal import Receiver
internal import Recovery
internal import Storage

struct CatchUpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catch-up", abstract: "Fetches from Dynamic what it could not deliver, and stores it.",
    discussion: """
      Messages whose delivery failed are verified like deliveries. Events that never became a message, because the \
      webhook was switched off, are taken from Dynamic's list of events. What is known already is left alone, so that \
      it can be done as often as one likes, whether a server runs or not; one with a token does it by itself \
      (dynamic.check-every).

      Needs dynamic.api-token, dynamic.environment-id and the webhook's secrets; the token needs the scopes \
      environment.webhooks.read and environment.events.read. Exit 69 where Dynamic's API cannot be reached.
      """)

  @Option(
    help: ArgumentHelp(
      """
      From when on: 2026-10-01T09:00:00Z, or how long ago, such as 2h; at most 90 days. Otherwise since all was \
      fetched last.
      """, valueName: "time"),
    transform: PastTime.parse)
  var since: Timestamp?

  @Flag(help: "Only say what would be stored.")
  var dryRun = false

  @Flag(help: "For machines: the result as one line of JSON.")
  var json = false

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    if let since, since > Timestamp(Date()) { throw ValidationError("--since is in the future") }
  }

  func run() async throws {
    let settings = try options.load(requiring: [.secrets])
    let api = try settings.dynamicAPI()
    let report = try await settings.withStore(dryRun ? .inspect : .amend) { store in
      try await catchUp(api, store, settings)
    }
    if json {
      try Output.line(
        JSON.line([
          "messages": report.messages, "events": report.events, "stored": report.stored, "known": report.known,
        ]))
    } else {
      try Output.line(
        "since \(report.start): \(report.messages) failed messages, \(report.events) events without one; "
          + "\(report.stored) \(dryRun ? "would be stored" : "stored"), \(report.known) known already")
    }
    if report.unusable > 0 {
      Notice.say(
        "\(report.unusable) could not be used: no secret here verifies them, and they are not among Dynamic's events")
    }
  }

  private func catchUp(
    _ api: DynamicAPI, _ store: any Store, _ settings: Settings
  ) async throws -> CatchUpReport {
    let choice = settings.webhookChoice
    let all: [Webhook]
    do throws(APIError) {
      all = try await api.webhooks()
    } catch {
      throw error.failure("nothing was fetched", .readWebhooks)
    }
    if choice.webhook(in: all) == nil, let problem = choice.problem(in: all) {
      Notice.say("only the list of events is read: \(problem)")
    }
    let handlers = settings.handlers
    let work = CatchUp(
      api, store, secrets: settings.receiver.secrets, retention: settings.receiver.retention,
      wants: { name in handlers.contains { $0.wants(name) } }, now: { Timestamp(Date()) })
    let line = ProgressLine()
    defer { line.clear() }
    do throws(CatchUpError) {
      return try await work.run(
        since.map { .since($0) } ?? .check, from: choice.sources(in: all), dryRun: dryRun
      ) { progress in
        let report = progress.report
        line.show("\(progress.pages) pages: \(report.stored) \(dryRun ? "new" : "stored"), \(report.known) known")
      }
    } catch {
      line.clear()
      switch error {
      case .api(let error): throw error.failure("not all was fetched; what was is stored", .readEvents)
      case .store(let error): throw error
      case .hashing: throw Failure.io(error)
      }
    }
  }
}
