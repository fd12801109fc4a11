internal import DynamicAPI
internal import DynamicEvents
internal import Foundation
internal import Receiver
internal import Signature

/// The keys below `dynamic`, and `public-url`: what the watch of `serve` and the commands that call Dynamic's API need.
struct DynamicSettings: Sendable {
  var token: Secret?
  var environmentID: String?
  var apiURL = URL(filePath: "/")
  /// `nil`: ours is found by `publicURL`, or by the path that its URL ends in.
  var webhookID: String?
  /// What Dynamic posts to.
  var publicURL: String?
  /// Zero: never.
  var checkEvery = Duration.zero
  var reEnables = false
}

extension DynamicSettings {
  /// The API's URL without a slash at its end.
  var url: String {
    var url = apiURL.absoluteString
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }
}

extension DynamicSettings {
  /// What the receiver is told; `nil` while there is no token or no environment.
  func configuration(authorities: String?) -> DynamicConfiguration? {
    guard let token, let environmentID else { return nil }
    var configuration = DynamicConfiguration(token: token, environmentID: environmentID)
    configuration.apiURL = url
    configuration.webhookID = webhookID
    configuration.publicURL = publicURL
    configuration.checkEvery = checkEvery
    configuration.reEnables = reEnables
    configuration.authorities = authorities
    return configuration
  }
}

extension Settings {
  /// What `DynamicAPI` is made of; `nil` while there is no token or no environment.
  var dynamicAccess: DynamicAPI.Access? {
    guard let token = dynamic.token, let environmentID = dynamic.environmentID else { return nil }
    var access = DynamicAPI.Access(token: token, environment: environmentID)
    access.url = dynamic.url
    access.authorities = authorities
    return access
  }
}

/// The variables that are named as in Dynamic's own documentation. They count less than `REVOKED_DYNAMIC_…`, and more
/// than the file.
struct DynamicVariables {
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []

  private static let environment = "DYNAMIC_ENVIRONMENT_ID"
  private static let token = "DYNAMIC_API_TOKEN"
  private static let tokenFile = "DYNAMIC_API_TOKEN_FILE"

  init(_ inputs: ConfigurationInputs) {
    if let id = inputs.environment[Self.environment] {
      values["dynamic.environment-id"] = .text(id, .environment(Self.environment))
    }
    let key = "dynamic.api-token"
    if let token = inputs.environment[Self.token] {
      values[key] = .text(token.trimmingCharacters(in: .whitespacesAndNewlines), .environment(Self.token))
    }
    guard let path = inputs.environment[Self.tokenFile] else { return }
    do throws(Mismatch) {
      guard values[key] == nil else { throw Mismatch("\(Self.token) is set as well; unset one of the two") }
      guard !path.isEmpty else { throw Mismatch("is empty; name the file or unset it") }
      let lines = SecretVariables.lines(of: try inputs.readFile(path))
      guard lines.count == 1 else { throw Mismatch("\(path) must hold one line with the token") }
      values[key] = .text(lines[0], .environment(Self.tokenFile))
    } catch {
      problems.append(ConfigurationProblem(key, .environment(Self.tokenFile), error.text))
    }
  }
}

extension ValueParser where Value == String {
  /// In lower case, as Dynamic writes its ids.
  static var environmentID: Self { id("an environment's id: a UUID, as Dynamic's dashboard shows it") }

  static var webhookID: Self { id("a webhook's id: a UUID, as `revoked webhook list` shows it") }

  private static func id(_ right: String) -> Self {
    Self(right) { text in
      let id = text.lowercased()
      return UUIDBytes(uuid: Array(id.utf8).span) == nil ? nil : id
    }
  }

  static var webhookURL: Self {
    Self { (value) throws(Mismatch) in
      let url = try value.single
      if let objection = WebhookURL.objection(to: url) { throw Mismatch(objection) }
      return url
    }
  }
}

extension ValueParser where Value == URL {
  /// What comes from there decides who may pass, so it comes over TLS, or from this machine.
  static var trustedURL: Self {
    Self { (value) throws(Mismatch) in
      let url = try ValueParser.url.parse(value)
      guard url.scheme?.lowercased() == "https" || url.host()?.lowercased().isLoopbackHost == true else {
        throw Mismatch("is http, and only this machine may be asked without TLS; write https")
      }
      guard url.query() == nil else { throw Mismatch("holds a query, which nothing here needs") }
      return url
    }
  }
}

extension String {
  /// Whether it is this machine's own name or an address of its loopback. No other name is, whatever it begins with.
  var isLoopbackHost: Bool {
    if self == "localhost" || self == "::1" || self == "[::1]" { return true }
    let parts = split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && !$0.hasPrefix("+") }
  }
}
