internal import ArgumentParser
internal import DynamicAPI
internal import Foundation

/// What a token must be allowed to do, as Dynamic's dashboard names it.
enum TokenScope: String {
  case readEvents = "environment.events.read"
  case readWebhooks = "environment.webhooks.read"
  case writeWebhooks = "environment.webhooks.write"
  case writeUsers = "environment.users.write"
}

extension Settings {
  /// Dynamic's API for a command that a person waits for. Ends the command with 78 where the token or the environment
  /// is missing.
  func dynamicAPI() throws -> DynamicAPI {
    guard let access = dynamicAccess else {
      var missing: [String] = []
      if dynamic.token == nil {
        missing.append(
          "dynamic.api-token: there is none; set DYNAMIC_API_TOKEN, or name a file in DYNAMIC_API_TOKEN_FILE")
      }
      if dynamic.environmentID == nil {
        missing.append("dynamic.environment-id: there is none; set DYNAMIC_ENVIRONMENT_ID")
      }
      throw Failure.configuration(missing.joined(separator: "\n"))
    }
    return DynamicAPI(
      access,
      sleep: { pause in
        // A shorter one is no longer than a slow answer.
        if pause > .seconds(3) {
          Notice.say("Dynamic's API cannot answer now; trying again in \(Int(pause / .seconds(1))) s")
        }
        try await Task.sleep(for: pause)
      })
  }
}

extension APIError {
  /// What went wrong and what to do about it, for a person.
  func advice(_ scope: TokenScope) -> String {
    switch self {
    case .rejected(401, _):
      "\(self). It must be a token of the API, not the webhook's secret, and not expired: see dynamic.api-token"
    case .rejected(403, _):
      "\(self). The token needs the scope \(scope.rawValue), and must be of the environment in dynamic.environment-id"
    case .rejected(404, _): "\(self). Is the id right, and dynamic.environment-id?"
    case .unavailable(_, let pause?): "\(self): try again in \(Int((pause / .seconds(1)).rounded(.up))) s"
    case .unavailable: "\(self): try again later"
    case .unreachable(_, mayHaveArrived: true): "\(self). It may have been done all the same"
    case .rejected, .unreachable, .unreadable, .cancelled: description
    }
  }

  /// Whether the next call would fail as well, whatever it is about.
  var concernsEveryCall: Bool {
    switch self {
    case .rejected(401, _), .rejected(403, _), .unavailable, .unreachable, .cancelled: true
    case .rejected, .unreadable: false
    }
  }

  /// Says what went wrong. 69 where the API cannot be reached, else 1.
  func failure(_ action: String, _ scope: TokenScope) -> ExitCode {
    let text = "\(action): \(advice(scope))"
    if case .unreachable = self { return Failure.unreachable(text) }
    return Failure.no(text)
  }
}
