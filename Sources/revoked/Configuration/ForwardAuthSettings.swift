internal import DynamicEvents
internal import Foundation
internal import Receiver

/// Where Dynamic is, and which environment is ours.
struct DynamicSettings: Sendable {
  var environmentID: String?
  var apiURL = URL(filePath: "/")
}

/// The keys below `forward-auth`.
struct ForwardAuthSettings: Sendable {
  /// `nil`: none is read.
  var cookie: String?
  var verifies = false
  /// `nil`: not asked.
  var scope: String?
  var audience: String?
  /// `nil`: Dynamic's.
  var keysURL: URL?
  var keysMaxAge = Duration.zero
}

extension ForwardAuthSettings {
  /// What the receiver is told. `nil` for the verification: no environment is configured, or none is asked for.
  func configuration(_ dynamic: DynamicSettings) -> ForwardAuthConfiguration {
    var configuration = ForwardAuthConfiguration()
    configuration.cookie = cookie
    guard verifies, let environmentID = dynamic.environmentID else { return configuration }
    var apiURL = dynamic.apiURL.absoluteString
    while apiURL.hasSuffix("/") { apiURL.removeLast() }
    var verification = TokenVerification(environmentID: environmentID, apiURL: apiURL)
    if let keysURL { verification.keysURL = keysURL.absoluteString }
    verification.scope = scope
    verification.audience = audience
    verification.keysMaxAge = keysMaxAge
    configuration.verification = verification
    return configuration
  }
}

extension ValueParser where Value == String {
  /// In lower case, as Dynamic writes its ids.
  static var environmentID: Self {
    Self("an environment's id: a UUID, as Dynamic's dashboard shows it") { text in
      let id = text.lowercased()
      return SixteenBytes(uuid: Array(id.utf8).span) == nil ? nil : id
    }
  }
}

extension ValueParser where Value == String? {
  /// Empty for none.
  static var cookieName: Self {
    ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      if text.isEmpty { return nil }
      guard ForwardAuthConfiguration.isCookieName(text) else {
        throw Mismatch(text, isNot: "a cookie's name, or empty to read none")
      }
      return text
    }
  }

  /// One word of a scope (RFC 6749 §3.3), or an audience. Empty for none.
  static var word: Self {
    ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      if text.isEmpty { return nil }
      guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
        throw Mismatch(text, isNot: "one word without spaces, or empty to ask for none")
      }
      return text
    }
  }
}

extension ValueParser where Value == URL {
  /// What comes from there decides who may pass, so it comes over TLS, or from this machine.
  static var trustedURL: Self {
    Self { (value) throws(Mismatch) in
      let url = try ValueParser.url.parse(value)
      guard url.scheme?.lowercased() == "https" || url.isLoopback else {
        throw Mismatch("is http, and only this machine may be asked without TLS; write https")
      }
      guard url.query() == nil else { throw Mismatch("holds a query, which nothing here needs") }
      return url
    }
  }
}

extension URL {
  fileprivate var isLoopback: Bool {
    guard let host = host()?.lowercased() else { return false }
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && !$0.hasPrefix("+") }
  }
}
