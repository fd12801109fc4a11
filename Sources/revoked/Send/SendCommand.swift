internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import HTTPServer
internal import Receiver

struct SendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send", abstract: "Posts a realistic signed event to a receiver, to try it.",
    discussion: """
      Signed with the first of the configured secrets. Without --url it goes to the listener of the configuration. \
      Exit 0 only if every answer was 200; 69 if none came.
      """)

  @Argument(help: "user.session.revoked, admin.user.session.revoked or ping.")
  var event = EventNames.sessionRevoked

  @Option(help: ArgumentHelp("Where to post, such as https://hooks.example.com/webhooks/dynamic.", valueName: "url"))
  var url: String?

  @Option(help: ArgumentHelp("The session that is revoked; a random one otherwise.", valueName: "session-id"))
  var session: String?

  @Option(help: ArgumentHelp("Post the exact bytes of a file instead.", valueName: "file"))
  var body: String?

  @Option(
    help: ArgumentHelp(
      "How many events, each a new one; with --session of one session, with --body the same bytes again.",
      valueName: "n"))
  var count = 1

  @Option(help: ArgumentHelp("How many at a time.", valueName: "n"))
  var concurrency = 1

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard SampleEvent.names.contains(event) else {
      throw ValidationError(
        "unknown event \(event.debugDescription): one of \(SampleEvent.names.joined(separator: ", ")), or --body FILE")
    }
    if let session, SessionID(session) == nil {
      throw ValidationError("\(session.debugDescription) is no session id: 36 characters, a UUID in lower case")
    }
    guard body == nil || (session == nil && event == EventNames.sessionRevoked) else {
      throw ValidationError("--body is posted as it is: it goes with no event name and no --session")
    }
    guard session == nil || event != EventNames.ping else { throw ValidationError("a ping has no session") }
    guard (1...10_000_000).contains(count) else { throw ValidationError("--count must be from 1 to 10000000") }
    guard (1...1000).contains(concurrency) else { throw ValidationError("--concurrency must be from 1 to 1000") }
  }

  func run() async throws {
    let settings = try options.load(requiring: [.secrets])
    let target = try target(settings)
    let fixed = try body.map { SampleEvent(body: try Self.contents($0)) }
    let sender = Sender(url: target, concurrency: concurrency)
    if count == 1 {
      try await sendOne(fixed ?? SampleEvent(event, session: session), sender, target, settings)
    } else {
      try await sendMany(fixed, sender, settings)
    }
  }

  private func sendOne(_ sample: SampleEvent, _ sender: Sender, _ target: URL, _ settings: Settings) async throws {
    print("POST \(target.absoluteString) \(sample.name)" + (sample.session.map { " session=\($0)" } ?? ""))
    let answer = await sender.send(sample.body, signature: try Signing.headerValue(for: sample.body, settings))
    let time = String(format: "%.1f ms", answer.duration / .milliseconds(1))
    guard let status = answer.status else { throw Failure.unreachable("\(target.absoluteString): \(answer.text)") }
    print("\(status) \(answer.text.trimmingCharacters(in: .whitespacesAndNewlines)) (\(time))")
    if status == 401 { throw Failure.unauthorized }
    if status != 200 { throw Failure.no }
  }

  private func sendMany(_ fixed: SampleEvent?, _ sender: Sender, _ settings: Settings) async throws {
    var summary = SendSummary()
    var progress = ProgressBar(total: count)
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Sender.Answer.self) { group in
      var started = 0
      func startOne() throws {
        let sample = fixed ?? SampleEvent(event, session: session)
        let signature = try Signing.headerValue(for: sample.body, settings)
        group.addTask { await sender.send(sample.body, signature: signature) }
        started += 1
      }
      for _ in 0..<min(concurrency, count) { try startOne() }
      while let answer = try await group.next() {
        summary.add(answer)
        progress.show(summary.count)
        if started < count { try startOne() }
      }
    }
    progress.clear()
    print(summary.text(took: start.duration(to: .now)))
    guard summary.isReachable else { throw Failure.unreachable("nothing answered") }
    if summary.acknowledged < count { throw Failure.no }
  }

  private func target(_ settings: Settings) throws -> URL {
    let text: String
    if let url {
      text = url
    } else {
      guard case .tcp(let host, let port) = settings.receiver.listen, port != 0 else {
        throw ValidationError(
          "the receiver listens on \(settings.receiver.listen): give the address of the proxy before it, as in --url https://…/webhooks/dynamic"
        )
      }
      // A wildcard is where to listen, not where to connect.
      let reachable = host == "0.0.0.0" ? "127.0.0.1" : host == "::" || host == "::1" ? "localhost" : host
      text = ListenAddress.tcp(host: reachable, port: port).url + settings.receiver.path
    }
    guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil
    else {
      throw ValidationError("\(text.debugDescription) is no http or https URL")
    }
    // FoundationNetworking refuses them with "bad URL", which would puzzle anyone.
    if text.contains("[") { throw ValidationError("\(text): use a name; the HTTP client takes no IPv6 address") }
    return url
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw Failure.io("cannot read \(path): \(error.localizedDescription)")
    }
  }
}
