internal import Foundation
internal import Handlers

/// What the configuration said about one handler, before anybody knows whether that is enough.
struct HandlerDraft: Sendable {
  /// Those that revoke a session.
  static let standardEvents = ["user.session.revoked", "admin.user.session.revoked"]

  var kind: HandlerKind?
  var events = standardEvents
  var command: [String]?
  var url: URL?
  var secrets: [WebhookSecret]?
  var secretFile: String?
  var insecure = false
  // For the kinds without these keys; the others have their defaults in the table.
  var timeout = Duration.seconds(30)
  var concurrency = 1
  var maxAttempts = 20
}
