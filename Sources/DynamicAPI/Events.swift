package import DynamicEvents
internal import Outgoing

/// An event as the API lists it: not signed, and believed because TLS says who sent it.
package struct ListedEvent: Sendable {
  package let id: String
  package let name: String
  package let environment: String?
  package let timestamp: Timestamp?
  /// The whole object, without white space: an envelope without `messageId` and `webhookId`.
  package let body: [UInt8]

  init?(_ value: JSONValue) {
    guard let id = value["eventId"]?.string, !id.isEmpty, let name = value["eventName"]?.string else { return nil }
    self.id = id
    self.name = name
    environment = value["environmentId"]?.string
    timestamp = value["timestamp"]?.string.flatMap { Timestamp($0.utf8.span) }
    body = value.compact
  }
}

package struct EventPages: Sendable {
  fileprivate var pages: Pages

  /// The next page; `nil` at the end. Each item is read when it is asked for, since a whole page takes milliseconds.
  package mutating func next() async throws(APIError) -> (some Sequence<ListedEvent>)? {
    try await pages.next()?.lazy.compactMap(ListedEvent.init)
  }
}

extension DynamicAPI {
  /// What happened since then, in an order that is not documented. The filter on the time is the API's, and is not
  /// relied upon.
  package func events(since start: Timestamp?) -> EventPages {
    EventPages(pages: Pages(self, path("events"), query: start.map { [("startDate", "\($0)")] } ?? []))
  }

  package func event(_ id: String) async throws(APIError) -> ListedEvent {
    let response = try await call(.get, path("events", id), isRepeatable: true)
    guard let event = JSONValue(response.body).flatMap(ListedEvent.init) else {
      throw .unreadable("no event in the body")
    }
    return event
  }

  /// Ends one session. It may be ended before: that is no error here, and what the API says of it is not documented.
  package func revokeSession(_ session: SessionID) async throws(APIError) {
    _ = try await call(.put, "/sessions/\(session)/revoke", isRepeatable: true)
  }

  /// Ends all sessions of a user.
  package func revokeSessions(ofUser user: String) async throws(APIError) {
    _ = try await call(.post, path("users", user, "sessions", "revoke"), isRepeatable: true)
  }

  /// Has Dynamic end all sessions of the environment, through a queue that no call asks about.
  package func revokeAllSessions() async throws(APIError) {
    _ = try await call(.post, path("users", "sessions", "revoke"), isRepeatable: true)
  }

  /// What the token is for; `nil` where the API does not have this call.
  package func tokenScopes() async throws(APIError) -> (environment: String?, scopes: [String])? {
    do throws(APIError) {
      let response = try await call(.get, "/tokens/me", isRepeatable: true)
      guard let token = JSONValue(response.body)?["token"] else { return nil }
      return (token["projectEnvironmentId"]?.string, token["scopes"]?.elements?.compactMap(\.string) ?? [])
    } catch {
      if case .rejected(404, _) = error { return nil }
      throw error
    }
  }
}
