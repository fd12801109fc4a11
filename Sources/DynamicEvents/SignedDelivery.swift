package import Signature

/// What a delivery turns out to be. Nothing of the body is parsed before its signature has been verified.
package enum SignedDelivery: Sendable {
  /// Not signed with any of the secrets. Nobody learns why.
  case forged
  /// Dynamic's, but not usable: to be kept as a dead letter, never refused.
  case undecodable(UndecodableReason)
  case genuine(EventOutline)

  /// - Parameters:
  ///   - signature: the value of `x-dynamic-signature-256`.
  ///   - body: the raw bytes of the request's body.
  package init(signature: Span<UInt8>, body: Span<UInt8>, verifier: SignatureVerifier) {
    guard verifier.isValid(signature, body: body) else {
      self = .forged
      return
    }
    do throws(UndecodableReason) {
      self = .genuine(try EventOutline(body))
    } catch {
      self = .undecodable(error)
    }
  }
}
