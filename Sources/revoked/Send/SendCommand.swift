internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import HTTPServer
internal import Outgoing
internal import Receiver
internal import Signature

struct SendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send", abstract: "Posts a realistic signed event to a receiver, to try it.",
    discussion: """
      The receiver takes it for real: the session is revoked there. Without --session that is a random one, which no \
      user has, and its id is printed first. Signed with the first of the configured secrets. Without --url it goes to \
      the listener of the configuration. Exit 0 only if every answer was 200; 69 if none came.
      """)

  @Argument(help: "user.session.revoked, admin.user.session.revoked or ping.")
  var event = EventNames.sessionRevoked

  @Option(
    help: ArgumentHelp(
      "Where to post, such as https://hooks.example.com/webhooks/dynamic or unix:/run/revoked.sock.", valueName: "url"))
  var url: String?

  @Option(help: ArgumentHelp("The session to revoke; otherwise a random one.", valueName: "session-id"))
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

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    guard SampleEvent.names.contains(event) else {
      throw ValidationError(
        "unknown event \(event.debugDescription): one of \(SampleEvent.names.joined(separator: ", ")), or --body FILE")
    }
    if let session, SessionID(session) == nil {
      throw ValidationError("\(session.debugDescription) is no session id: a UUID of 36 characters")
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
    let sender = Sender(target)
    if count == 1 {
      try await sendOne(fixed ?? SampleEvent(event, session: session), sender, target, settings)
    } else {
      try await sendMany(fixed, sender, settings)
    }
  }

  private func sendOne(_ sample: SampleEvent, _ sender: Sender, _ target: OutgoingRequest, _ settings: Settings)
    async throws
  {
    if let random = sample.session, session == nil { try Output.line("no --session: revoking a random one, \(random)") }
    let address = target.socketPath.map { "unix:\($0) \(settings.receiver.path)" } ?? target.url.visible()
    try Output.line("POST \(address) \(sample.name)" + (sample.session.map { " session=\($0)" } ?? ""))
    let answer = await sender.send(sample.body, signature: try Signing.headerValue(for: sample.body, settings))
    let time = String(format: "%.1f ms", answer.duration / .milliseconds(1))
    guard let status = answer.status else { throw Failure.unreachable("\(address): \(answer.text)") }
    try Output.line("\(status) \(answer.text) (\(time))")
    if status == 401 { throw Failure.unauthorized }
    if status != 200 { throw Failure.no }
  }

  private func sendMany(_ fixed: SampleEvent?, _ sender: Sender, _ settings: Settings) async throws {
    var summary = SendSummary()
    var progress = ProgressBar(total: count)
    if fixed == nil, session == nil, event != EventNames.ping {
      try Output.line("no --session: revoking \(count) random ones")
    }
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
    try Output.line(summary.text(took: start.duration(to: .now)))
    guard summary.isReachable else { throw Failure.unreachable("nothing answered") }
    if summary.acknowledged < count { throw Failure.no }
  }

  private func target(_ settings: Settings) throws -> OutgoingRequest {
    let path = settings.receiver.path
    var request: OutgoingRequest
    if let url, !url.hasPrefix("unix:") {
      guard let parts = URL(string: url), ["http", "https"].contains(parts.scheme?.lowercased()), parts.host() != nil
      else { throw ValidationError("\(url.debugDescription) is no http or https URL") }
      request = OutgoingRequest(.post, url)
    } else {
      let address = try url.map { text in
        guard let address = ListenAddress(text) else { throw ValidationError("\(text.debugDescription) is no socket") }
        return address
      }
      guard let known = OutgoingRequest(.post, path, at: address ?? settings.receiver.listen) else {
        throw ValidationError(
          "the receiver listens on \(settings.receiver.listen), a port that the kernel picks: give the address, as in "
            + "--url http://127.0.0.1:8080\(path)")
      }
      request = known
    }
    request.authorities = settings.authorities
    return request
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw Failure.io("cannot read \(path): \(error.localizedDescription)")
    }
  }
}

struct SignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Prints the signature header's value for a body read from standard input.",
    discussion: "Signs the exact bytes, a trailing newline included, with the first of the configured secrets.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load(requiring: [.secrets])
    let body = try StandardInput.readAll()
    try Output.line(try Signing.headerValue(for: body, settings))
  }
}

/// Signs as Dynamic does, with the first secret.
enum Signing {
  static func headerValue(for body: [UInt8], _ settings: Settings) throws -> String {
    guard let secret = settings.receiver.secrets.first else { throw Failure.configuration("secrets: there is none") }
    return SignatureHeader.value(for: try HMACSHA256(key: secret).code(for: body.span))
  }
}

/// A body's exact bytes, as `sign` and `verify` read them.
enum StandardInput {
  /// As much as `limits.body` can allow.
  private static let limit = 64 << 20

  static func readAll() throws -> [UInt8] {
    if isatty(STDIN_FILENO) == 1 { Notice.say("reading the body from the terminal; end it with Ctrl-D") }
    do throws(Mismatch) {
      return try InputFile.standardInput(atMost: limit)
    } catch {
      throw Failure.io(error.text)
    }
  }
}
