internal import Foundation
internal import Receiver

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
  ///
  /// - Parameter authorities: the file of `tls.ca-file`.
  func configuration(_ dynamic: DynamicSettings, authorities: String?) -> ForwardAuthConfiguration {
    var configuration = ForwardAuthConfiguration()
    configuration.cookie = cookie
    guard verifies, let environmentID = dynamic.environmentID else { return configuration }
    var verification = TokenVerification(environmentID: environmentID, apiURL: dynamic.url)
    if let keysURL { verification.keysURL = keysURL.absoluteString }
    verification.scope = scope
    verification.audience = audience
    verification.keysMaxAge = keysMaxAge
    verification.authorities = authorities
    configuration.verification = verification
    return configuration
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
