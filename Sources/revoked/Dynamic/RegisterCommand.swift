internal import ArgumentParser
internal import DynamicAPI
internal import DynamicEvents
internal import Foundation
internal import Outgoing
internal import Receiver
internal import Recovery
internal import Signature

struct RegisterWebhookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register", abstract: "Finds or makes the webhook, and gives its secret to the server.",
    discussion: """
      Looks for webhooks on the URL, and makes one where there is none. It is turned on, with both events of a revoked \
      session. Its secret goes into the file, beside those that are there; a line that begins with "placeholder" goes. \
      A server that runs here reads the file, and is asked whether it knows the secret.

      Dynamic pings the URL when a webhook is made, so start the server first, with a random placeholder:

        echo "placeholder-$(openssl rand -hex 16)" > secret
        DYNAMIC_WEBHOOK_SECRET_FILE=secret revoked serve

      During a rotation there are two webhooks on the URL, and the secrets of both are fetched.
      """)

  @Option(
    help: ArgumentHelp(
      "What Dynamic is to post to, such as https://hooks.example.com/webhooks/dynamic; else public-url.",
      valueName: "url"))
  var url: String?

  @Option(
    help: ArgumentHelp(
      "Where the secret goes: the file that the server's DYNAMIC_WEBHOOK_SECRET_FILE names.", valueName: "file"))
  var secretFile: String

  @Flag(help: "For machines: one line of JSON.")
  var json = false

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    if let url, let objection = WebhookURL.objection(to: url) {
      throw ValidationError("Dynamic would refuse \(url.visible()): it \(objection)")
    }
  }

  func run() async throws {
    let settings = try options.load()
    guard let url = url ?? settings.dynamic.publicURL else {
      throw ValidationError("on which URL? Give --url, or set public-url")
    }
    let api = try settings.dynamicAPI()
    let file: SecretFile
    do throws(Mismatch) {
      file = try SecretFile(secretFile)
    } catch {
      throw Failure.io(error.text)
    }
    if !url.hasSuffix(settings.receiver.path) {
      Notice.say("the URL does not end in \(settings.receiver.path), which is the server's path: does the proxy know?")
    }
    let server = ServerAddressFile(settings.receiver.data).server
    if server == nil { Notice.say("no server runs here with this data folder, and Dynamic pings the URL") }
    var result = Registration(secretFile: file.path)
    let secrets = try await secrets(url, api, &result)
    do throws(Mismatch) {
      result.added = try file.add(secrets)
    } catch {
      throw Failure.io(error.text)
    }
    if let server { result.server = try await server.reload(secrets, settings) ? .reads : .doesNot }
    if json {
      try Output.line(JSON.line(result))
    } else {
      for line in result.lines(url) { try Output.line(line) }
    }
    if result.server == .doesNot { throw Failure.no }
  }

  /// The secrets of the webhooks on the URL, of which there is one at least afterwards.
  private func secrets(_ url: String, _ api: DynamicAPI, _ result: inout Registration) async throws -> [String] {
    do throws(APIError) {
      var found = try await api.webhooks().filter { $0.url == url }
      if found.isEmpty {
        found = [try await api.createWebhook(url: url, events: WebhookChoice.events)]
        result.created = true
      }
      var secrets: [String] = []
      for webhook in found {
        if try await api.complete(webhook) != nil { result.completed = true }
        result.webhookIds.append(webhook.id)
        guard let secret = try await api.webhook(webhook.id, withSecret: true).secret, !secret.isEmpty else {
          throw APIError.unreadable(
            "the webhook \(webhook.id.visible()) without its secret, which the token may not see")
        }
        secrets.append(secret)
      }
      return secrets
    } catch {
      throw error.failure(
        result.created ? "the webhook was made, and its secret was not fetched" : "the webhook was not registered",
        .writeWebhooks)
    }
  }
}

/// What `register` has done.
private struct Registration: Encodable {
  enum Server: String, Encodable {
    case none
    case reads
    case doesNot
  }

  var webhookIds: [String] = []
  /// Whether the webhook was made; otherwise it was there.
  var created = false
  /// Whether it was turned on, or given events that it lacked.
  var completed = false
  var secretFile: String
  /// Secrets that were not in the file yet.
  var added = 0
  var server = Server.none

  func lines(_ url: String) -> [String] {
    let done = created ? "made" : completed ? "found, and turned on with both events" : "found"
    var lines = webhookIds.map { "webhook \($0.visible()) on \(url): \(done)" }
    lines.append(added == 0 ? "its secret is in \(secretFile) already" : "its secret is in \(secretFile) now")
    switch server {
    case .none: lines.append("the next start of the server reads it")
    case .reads: lines.append("the server knows it")
    case .doesNot:
      lines.append(
        "the server does not know it: restart it if it reads a copy, as with a systemd credential. Otherwise, does its "
          + "DYNAMIC_WEBHOOK_SECRET_FILE name this file, and may it read it? Its log says more")
    }
    return lines
  }
}

extension ServerProcess {
  /// Has the server read its configuration again, and asks it by a signed ping whether it knows the secrets.
  func reload(_ secrets: [String], _ settings: Settings) async throws -> Bool {
    guard let target = OutgoingRequest(.post, settings.receiver.path, at: publicListener), signal(SIGHUP) else {
      return false
    }
    let sender = Sender(target)
    for secret in secrets {
      guard try await isKnown(secret, sender) else { return false }
    }
    return true
  }

  private func isKnown(_ secret: String, _ sender: Sender) async throws -> Bool {
    let ping = SampleEvent(EventNames.ping, session: nil).body
    let key = try Secret(secret)
    let signature = SignatureHeader.value(for: try HMACSHA256(key: key).code(for: ping.span))
    let limit = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < limit {
      let answer = await sender.send(ping, signature: signature)
      if answer.status == 200, answer.text.contains("pong") { return true }
      // A ping that does not verify is answered 200 as well, and one that comes too early does no harm.
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }
}
