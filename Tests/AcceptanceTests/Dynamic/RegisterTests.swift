import Foundation
import TestSupport
import Testing

@Suite("webhook register", .timeLimit(.minutes(5)))
struct RegisterTests {
  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  private func lines(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func `From nothing: a placeholder, a start, register, and the next delivery is accepted without a restart`()
    throws
  {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let file = try folder.write("# for revoked\nplaceholder-\(UUID().uuidString)\n", to: "secret")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file])
    let address = server.address
    api.change {
      $0.deliver = { body, signature in
        let client = try Client(address)
        client.send(
          "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-dynamic-signature-256: \(signature)\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try #require(Answer(client.read()))
      }
    }
    let result = try api.run("register", "--url", StandInWebhooks.url, "--secret-file", file, folder: folder)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    #expect(api.state.pings == [#"200 {"status":"unverified"}"#])
    let webhook = try #require(api.state.webhooks.first)
    let secret = try #require(webhook.secret)
    #expect(webhook.url == StandInWebhooks.url && webhook.isEnabled)
    #expect(webhook.events == ["user.session.revoked", "admin.user.session.revoked"])
    #expect(try lines(file) == ["# for revoked", secret])
    #expect(try mode(file) == 0o600)
    #expect(!(result.output + result.errors + server.log.text).contains(secret))
    #expect(result.output.hasSuffix("the server knows it\n") && result.output.contains("\(webhook.webhookId)"))

    let event = DeliveryTests.event(session: DeliveryTests.session)
    let answer = try server.post(event, signature: DeliveryTests.sign(event, with: secret))
    #expect(answer.body == #"{"status":"accepted"}"#)

    // Once more: found, and nothing changes.
    let before = api.state.requests.count
    let again = try api.run("register", "--url", StandInWebhooks.url, "--secret-file", file, "--json", folder: folder)
    #expect(again.status == 0)
    #expect(
      again.output == #"{"added":0,"completed":false,"created":false,"secretFile":"\#(file)","server":"reads","#
        + #""webhookIds":["\#(webhook.webhookId)"]}"# + "\n")
    #expect(api.state.requests.dropFirst(before).allSatisfy { $0.hasPrefix("GET ") })
    #expect(try lines(file) == ["# for revoked", secret])
  }

  @Test func `During a rotation the secrets of both webhooks stand beside those that were there`() throws {
    let (old, new) = (Executable.secret, "dyn_the-next-secret-of-the-rotation")
    let api = try StandInWebhooks([
      .init(webhookId: "a", url: StandInWebhooks.url, secret: old),
      .init(webhookId: "b", url: StandInWebhooks.url, isEnabled: false, events: ["user.created"], secret: new),
      .init(webhookId: "c", url: "https://elsewhere.example.com/", secret: "dyn_the-secret-of-another-one"),
    ])
    let folder = try TemporaryFolder()
    let file = try folder.write("\(old)\n\nanother-that-is-mine-alone\n", to: "secret")
    let server = try RunningServer(in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file])
    let result = try api.run("register", "--url", StandInWebhooks.url, "--secret-file", file, folder: folder)
    #expect(result.status == 0, "\(result)")
    #expect(try lines(file) == [old, "another-that-is-mine-alone", new])
    #expect(api.state.webhooks[1].isEnabled)
    #expect(
      api.state.webhooks[1].events == ["user.created", "user.session.revoked", "admin.user.session.revoked"])
    for secret in [old, new] {
      #expect(
        try server.post(Vector.ping.text, signature: DeliveryTests.sign(Vector.ping.text, with: secret)).body.contains(
          "pong"))
    }
  }

  @Test(arguments: [
    ("http://hooks.example.com/webhooks/dynamic", "https://"), ("https://hooks.example.com:8443/a", "a port"),
    ("https://127.0.0.1/a", "an address"), ("https://localhost/a", "localhost"),
    ("https://Hooks.example.com/a", "capitals"),
  ])
  func `A URL that Dynamic would refuse is refused before the call`(url: String, says: String) throws {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let result = try api.run("register", "--url", url, "--secret-file", folder.path + "/secret", folder: folder)
    #expect(result.status == 64 && result.errors.contains(says), "\(result)")
    #expect(api.state.requests.isEmpty)
  }

  @Test func `A file that cannot be written, and a token that is missing, end it before the call`() throws {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let nowhere = try api.run(
      "register", "--url", StandInWebhooks.url, "--secret-file", folder.path + "/none/secret", folder: folder)
    #expect(nowhere.status == 74, "\(nowhere)")
    let isFolder = try api.run(
      "register", "--url", StandInWebhooks.url, "--secret-file", folder.path, folder: folder)
    #expect(isFolder.status == 74, "\(isFolder)")
    let without = try Executable.run(
      ["webhook", "register", "--url", StandInWebhooks.url, "--secret-file", folder.path + "/secret"],
      environment: ["REVOKED_DATA": folder.data])
    #expect(without.status == 78)
    #expect(without.errors.contains("dynamic.api-token") && without.errors.contains("dynamic.environment-id"))
    #expect(api.state.requests.isEmpty)
  }

  @Test func `A token that may not see the secret is said, and the next try finds the webhook that was made`() throws {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let file = folder.path + "/secret"
    api.change {
      $0.answer = { $0.query["includeSecret"] == nil ? nil : StandInResponse(403, #"{"error":{"code":"scope"}}"#) }
    }
    let refused = try api.run("register", "--url", StandInWebhooks.url, "--secret-file", file, folder: folder)
    #expect(refused.status == 1, "\(refused)")
    #expect(refused.errors.contains("the webhook was made, and its secret was not fetched"))
    #expect(refused.errors.contains("environment.webhooks.write"))
    #expect(!FileManager.default.fileExists(atPath: file))
    api.change { $0.answer = nil }
    let result = try api.run("register", "--url", StandInWebhooks.url, "--secret-file", file, folder: folder)
    #expect(result.status == 0 && result.output.contains("found"), "\(result)")
    #expect(
      result.errors.contains("no server runs here") && result.output.contains("the next start of the server reads it"))
    #expect(api.state.webhooks.count == 1)
    #expect(try lines(file) == [api.state.webhooks[0].secret] && mode(file) == 0o600)
  }

  @Test func `A server that reads another file does not know the secret, and register says so`() throws {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let server = try RunningServer(in: folder)
    let result = try api.run(
      "register", "--url", StandInWebhooks.url, "--secret-file", folder.path + "/secret", folder: folder)
    #expect(result.status == 1 && result.output.contains("the server does not know it"), "\(result)")
    #expect(server.log.wait { $0.contains("reloaded the secrets") })
  }

  @Test func `A process that has a dead server's number is left alone`() throws {
    let (folder, api) = (try TemporaryFolder(), try StandInWebhooks())
    let stranger = Executable.process(["60"], [:])
    stranger.executableURL = URL(filePath: "/bin/sleep")
    try stranger.run()
    defer { stranger.terminate() }
    #expect(try Executable.run("init", environment: ["REVOKED_DATA": folder.data]).status == 0)
    let address = #"{"pid":\#(stranger.processIdentifier),"private":"127.0.0.1:1","public":"127.0.0.1:1"}"#
    _ = try folder.write(address, to: "data/serve.json")
    let result = try api.run(
      "register", "--url", StandInWebhooks.url, "--secret-file", folder.path + "/secret", folder: folder)
    #expect(result.status == 0 && result.output.contains("the next start of the server reads it"), "\(result)")
    #expect(stranger.isRunning)
  }
}
