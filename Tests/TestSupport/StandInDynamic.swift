internal import DynamicEvents
internal import Foundation
internal import Signature
internal import Synchronization

/// A stand-in for Dynamic's API: one environment, whose lists come in each form that the documentation leaves open, and
/// which fails as asked.
package final class StandInDynamic: Sendable {
  /// How a list says that it is over.
  package enum Ending: String, Sendable, CaseIterable {
    case noCursor, null, empty, repeated, emptyPage
  }

  package struct Webhook: Sendable {
    package var id = "33333333-3333-4333-8333-333333333333"
    package var url = "https://hooks.example.com/webhooks/dynamic"
    package var isEnabled = true
    package var events = ["user.session.revoked", "admin.user.session.revoked"]

    package init() {}
  }

  /// A session that was revoked.
  package struct Revoked: Hashable, Sendable {
    package let session: String
    package let event: String
  }

  package struct State: Sendable {
    package var token = "dyn_an-api-token-of-some-length"
    package var webhooks = [Webhook()]
    package var pageSize = 7
    package var isAscending = false
    package var ending = Ending.noCursor
    /// Whether a record holds the request as texts, or parsed.
    package var keepsTexts = true
    /// Asked before anything else.
    package var fault: (@Sendable (StandInRequest) -> StandInResponse?)?
    /// Requests so far, as `METHOD path`.
    package var requests: [String] = []
    /// Oldest first, so that a page costs no sorting: a measurement is to be of the other side.
    fileprivate var messages: [Item] = []
    fileprivate var listed: [Item] = []
  }

  fileprivate struct Item: Sendable {
    let at: Int64
    let id: String
    let record: String
  }

  /// So that the server keeps no reference to what owns it.
  fileprivate final class Store: Sendable {
    let state = Mutex(State())
  }

  package static let environment = "55555555-5555-4555-8555-555555555555"

  private let store: Store
  private let server: StandInServer

  package init() throws {
    let store = Store()
    self.store = store
    server = try StandInServer { request in store.respond(to: request) }
  }

  deinit { server.stop() }

  package var apiURL: String { server.url + "/api/v0" }
  package var state: State { store.state.withLock { $0 } }
  package func change(_ body: (inout State) -> Void) { store.state.withLock { body(&$0) } }

  package func count(_ request: String) -> Int {
    store.state.withLock { state in state.requests.count { $0.contains(request) } }
  }

  /// Has sessions revoked, one each `interval` milliseconds, the last of them `ago` seconds ago. The lists have all of
  /// them at once.
  ///
  /// - Parameters:
  ///   - asMessages: each has become a message; otherwise it is an event alone.
  ///   - isListed: whether the list of events has it.
  ///   - isDelivered: whether the endpoint took the message, by its own account.
  @discardableResult
  package func revoke(
    _ count: Int, asMessages: Bool, isListed: Bool = true, isDelivered: Bool = false, secondsAgo ago: Int = 60,
    interval: Int64 = 1000, secret: String = Vector.secret
  ) throws -> [Revoked] {
    let key = try Secret(secret)
    let newest = Int64(Date().timeIntervalSince1970) - Int64(ago)
    let keepsTexts = state.keepsTexts
    var (listed, messages): ([Item], [Item]) = ([], [])
    let revoked = try (0..<count).map { number in
      let at = Timestamp(milliseconds: newest * 1000 - Int64(count - 1 - number) * interval)
      let (session, event, message) = (UUID().text, UUID().text, UUID().text)
      let revoked = Revoked(session: session, event: event)
      let fields =
        #""eventId":"\#(event)","eventName":"user.session.revoked","environmentId":"\#(Self.environment)","#
        + #""environmentName":"live","#
        + #""timestamp":"\#(at)","data":{"id":"\#(session)","createdAt":"\#(at)","ipAddress":"203.0.113.7","#
        + #""revokedAt":"\#(at)"}"#
      let body = #"{"messageId":"\#(message)","webhookId":"\#(Webhook().id)",\#(fields)}"#
      let signature = SignatureHeader.value(for: try HMACSHA256(key: key).code(for: Array(body.utf8).span))
      if isListed { listed.append(Item(at: at.milliseconds, id: event, record: "{\(fields)}")) }
      guard asMessages else { return revoked }
      let headers = #"{"X-Dynamic-Signature-256":"\#(signature)"}"#
      let request =
        keepsTexts
        ? #"{"body":\#(Self.quoted(body)),"headers":\#(Self.quoted(headers))}"#
        : #"{"body":\#(body.replacing(",", with: ", ")),"headers":\#(headers)}"#
      // A first attempt that failed, and the newest one.
      for (delay, isLast) in [(0, false), (15, true)] {
        let taken = isLast && isDelivered
        let time = Timestamp(milliseconds: at.milliseconds + Int64(delay) * 1000)
        let record =
          #"{"deliveryId":"\#(UUID().text)","messageId":"\#(message)","eventId":"\#(event)","#
          + #""status":"\#(taken ? "success" : "failed")","#
          + #""createdAt":"\#(time)","request":\#(request),"response":{"status":\#(taken ? 200 : 503)}}"#
        messages.append(Item(at: time.milliseconds, id: message, record: record))
      }
      return revoked
    }
    change { [listed, messages] state in
      state.listed = (state.listed + listed).sorted { $0.at < $1.at }
      state.messages = (state.messages + messages).sorted { $0.at < $1.at }
    }
    return revoked
  }

  /// One that comes in the list of events as it is.
  package func list(_ record: String, id: String, secondsAgo ago: Int = 60) {
    let at = (Int64(Date().timeIntervalSince1970) - Int64(ago)) * 1000
    change { $0.listed = ($0.listed + [Item(at: at, id: id, record: record)]).sorted { $0.at < $1.at } }
  }

  fileprivate static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

extension UUID {
  fileprivate var text: String { uuidString.lowercased() }
}

extension StandInDynamic.Store {
  fileprivate func respond(to request: StandInRequest) -> StandInResponse {
    let fault = state.withLock { state in
      state.requests.append("\(request.method) \(request.path)")
      return state.fault
    }
    // It may block.
    if let response = fault?(request) { return response }
    return state.withLock { state in
      guard request.fields["authorization"] == "Bearer \(state.token)" else {
        return StandInResponse(401, #"{"error":"no such token"}"#)
      }
      let root = "/api/v0/environments/\(StandInDynamic.environment)"
      if request.path == "/api/v0/tokens/me" { return StandInResponse(404, #"{"error":"none","code":"not_found"}"#) }
      guard request.path.hasPrefix(root) else { return StandInResponse(403, #"{"error":{"code":"environment"}}"#) }
      let path = request.path.dropFirst(root.count).split(separator: "/").map(String.init)
      switch (request.method, path.count, path.first) {
      case ("GET", 1, "webhooks"): return state.page(state.webhooks.count, request) { state.webhooks[$0].json }
      case ("GET", 1, "events"): return state.page(of: state.listed, request)
      case ("GET", 2, "events"):
        guard let event = state.listed.first(where: { $0.id == path[1] }) else { return StandInResponse(404, "{}") }
        return StandInResponse(200, event.record)
      case ("GET", 3, "webhooks") where path[2] == "messages":
        return state.page(of: state.messages, request)
      case (let method, 2, "webhooks"):
        guard let index = state.webhooks.firstIndex(where: { $0.id == path[1] }) else {
          return StandInResponse(404, #"{"error":"none","code":"not_found"}"#)
        }
        if method == "PUT" {
          guard let body = try? JSONDecoder().decode(Replacement.self, from: Data(request.body.utf8)) else {
            return StandInResponse(422, #"{"error":"malformed"}"#)
          }
          (state.webhooks[index].url, state.webhooks[index].isEnabled) = (body.url, body.isEnabled)
          state.webhooks[index].events = body.events
        }
        return StandInResponse(200, state.webhooks[index].json)
      default: return StandInResponse(404, "{}")
      }
    }
  }
}

private struct Replacement: Decodable {
  let url: String
  let isEnabled: Bool
  let events: [String]
}

extension StandInDynamic.Webhook {
  fileprivate var json: String {
    let events = events.map { #""\#($0)""# }.joined(separator: ",")
    return
      #"{"webhookId":"\#(id)","url":"\#(url)","isEnabled":\#(isEnabled),"events":[\#(events)],"#
      + #""createdAt":"2026-01-01T00:00:00.000Z"}"#
  }
}

extension StandInDynamic.State {
  fileprivate func page(of items: [StandInDynamic.Item], _ request: StandInRequest) -> StandInResponse {
    page(items.count, request) { items[isAscending ? $0 : items.count - 1 - $0].record }
  }

  fileprivate func page(_ count: Int, _ request: StandInRequest, _ record: (Int) -> String) -> StandInResponse {
    let start = request.query["cursor"].flatMap { Int($0) } ?? 0
    let end = min(start + pageSize, count)
    let data = (min(start, end)..<end).map(record).joined(separator: ",")
    let cursor: String? =
      if end < count {
        #""\#(end)""#
      } else {
        switch ending {
        case .noCursor: nil
        case .null: "null"
        case .empty: #""""#
        case .repeated: #""\#(start)""#
        case .emptyPage: start < count ? #""\#(end)""# : nil
        }
      }
    return StandInResponse(200, #"{"data":[\#(data)]\#(cursor.map { ",\"cursor\":\($0)" } ?? "")}"#)
  }
}
