import Foundation
import Synchronization
import TestSupport

/// The part of Dynamic's API that is about webhooks, with its memory: what is made, changed and sent again stays so.
final class StandInWebhooks: Sendable {
  struct Webhook: Sendable, Codable {
    var webhookId: String
    var url: String
    var isEnabled = true
    var events = ["user.session.revoked", "admin.user.session.revoked"]
    var secret: String?
  }

  struct State: Sendable {
    var webhooks: [Webhook] = []
    /// The attempts of every message, each an object, in the order that the API lists them in.
    var messages: [String] = []
    var redelivered: [String] = []
    var requests: [String] = []
    /// Has the first word.
    var answer: (@Sendable (StandInRequest) -> StandInResponse?)?
    /// Delivers the ping of a webhook that is made, and returns what the endpoint answered.
    var deliver: (@Sendable (_ body: String, _ signature: String) throws -> Answer)?
    var pings: [String] = []
  }

  fileprivate final class Memory: Sendable {
    let state = Mutex(State())
  }

  static let environment = "55555555-5555-4555-8555-555555555555"
  static let token = "dyn_an-api-token-of-some-length"
  static let url = "https://hooks.example.com/webhooks/dynamic"

  private let memory: Memory
  private let server: StandInServer

  init(_ webhooks: [Webhook] = []) throws {
    let memory = Memory()
    memory.state.withLock { $0.webhooks = webhooks }
    self.memory = memory
    server = try StandInServer { memory.respond(to: $0) }
  }

  deinit { server.stop() }

  var state: State { memory.state.withLock { $0 } }
  func change(_ body: (inout State) -> Void) { memory.state.withLock { body(&$0) } }

  func variables(_ folder: TemporaryFolder) -> [String: String] {
    [
      "REVOKED_DATA": folder.data, "DYNAMIC_ENVIRONMENT_ID": Self.environment, "DYNAMIC_API_TOKEN": Self.token,
      "REVOKED_DYNAMIC_API_URL": server.url + "/api/v0",
    ]
  }

  func run(_ arguments: String..., folder: TemporaryFolder) throws -> Executable.Result {
    try Executable.run(["webhook"] + arguments, environment: variables(folder))
  }
}

extension StandInWebhooks.Memory {
  fileprivate func respond(to request: StandInRequest) -> StandInResponse {
    let answer = state.withLock { state in
      let query = request.query.map { "?\($0.key)=\($0.value)" }.joined()
      state.requests.append("\(request.method) \(request.path)\(query)")
      return state.answer
    }
    if let response = answer?(request) { return response }
    guard request.fields["authorization"] == "Bearer \(StandInWebhooks.token)" else {
      return StandInResponse(401, #"{"error":"no such token"}"#)
    }
    let root = "/api/v0/environments/\(StandInWebhooks.environment)/webhooks"
    guard request.path.hasPrefix(root) else { return StandInResponse(403, #"{"error":{"message":"not yours"}}"#) }
    let path = request.path.dropFirst(root.count).split(separator: "/").map(String.init)
    if request.method == "POST", path.isEmpty { return make(request) }
    return state.withLock { state in
      if path.isEmpty { return .data(state.webhooks.map { Self.json($0, withSecret: false) }) }
      guard let index = state.webhooks.firstIndex(where: { $0.webhookId == path[0] }) else {
        return StandInResponse(404, #"{"error":"no such webhook","code":"not_found"}"#)
      }
      switch (request.method, path.count) {
      case ("GET", 1):
        let isAsked = request.query["includeSecret"] == "true"
        return StandInResponse(200, Self.json(state.webhooks[index], withSecret: isAsked))
      case ("PUT", 1):
        guard let new = Self.fields(request) else { return StandInResponse(422, #"{"error":"malformed"}"#) }
        (state.webhooks[index].isEnabled, state.webhooks[index].events) = (new.isEnabled, new.events)
        return StandInResponse(200, Self.json(state.webhooks[index], withSecret: false))
      case ("GET", 2): return .data(state.messages)
      case ("POST", 4):
        guard state.messages.contains(where: { $0.contains(path[2]) }) else {
          return StandInResponse(422, #"{"error":"no such message"}"#)
        }
        state.redelivered.append(path[2])
        return StandInResponse(200, #"{"message":"ok"}"#)
      default: return StandInResponse(404, "{}")
      }
    }
  }

  /// Makes a webhook and pings its endpoint, before anybody can know the secret.
  private func make(_ request: StandInRequest) -> StandInResponse {
    guard let new = Self.fields(request) else { return StandInResponse(422, #"{"error":"malformed"}"#) }
    let secret = "dyn_" + UUID().uuidString + "[{$'"
    let webhook = StandInWebhooks.Webhook(
      webhookId: UUID().uuidString.lowercased(), url: new.url, isEnabled: new.isEnabled, events: new.events,
      secret: secret)
    let deliver = state.withLock { state in
      state.webhooks.append(webhook)
      return state.deliver
    }
    let ping = Vector.ping.text.replacing("33333333-3333-4333-8333-333333333333", with: webhook.webhookId)
    let answer = try? deliver?(ping, DeliveryTests.sign(ping, with: secret))
    state.withLock { $0.pings.append(answer.map { "\($0.status) \($0.body)" } ?? "none") }
    return StandInResponse(201, Self.json(webhook, withSecret: false))
  }

  fileprivate struct Fields: Decodable {
    let url: String
    let isEnabled: Bool
    let events: [String]
  }

  private static func fields(_ request: StandInRequest) -> Fields? {
    try? JSONDecoder().decode(Fields.self, from: Data(request.body.utf8))
  }

  private static func json(_ webhook: StandInWebhooks.Webhook, withSecret: Bool) -> String {
    var webhook = webhook
    if !withSecret { webhook.secret = nil }
    return (try? JSONEncoder().encode(webhook)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

extension StandInResponse {
  fileprivate static func data(_ items: [String]) -> Self { Self(200, #"{"data":[\#(items.joined(separator: ","))]}"#) }
}
