extension SignatureDiagnosis {
  /// A secret and a body that make one of the claimed digests.
  struct Match {
    /// What happened to the body; `nil` when it is as it was signed.
    let body: String?
    /// How the secret was misread; `nil` when it was not.
    let condition: String?
    /// Counted from 1.
    let secret: Int

    /// The plainest explanation: a changed body is likelier than a misread secret, and both at once least likely.
    static func first(of digests: [Digest], body: [UInt8], secrets: [Secret]) throws(OpenSSLFailure) -> Match? {
      let bodies = BodyVariant.all(of: body)
      let keys = secrets.map { $0.withBytes { bytes in bytes.indices.map { bytes[$0] } } }
      let exact = keys.map { [SecretVariant(condition: nil, bytes: $0)] }
      for candidates in [exact, keys.map(SecretVariant.misreadings)] {
        for (index, variants) in candidates.enumerated() {
          for variant in variants {
            let code = try HMACSHA256(key: variant.bytes.span)
            for body in bodies {
              let computed = try code.code(for: body.bytes.span)
              guard digests.contains(where: { $0.matches(computed) }) else { continue }
              return Match(body: body.finding, condition: variant.condition, secret: index + 1)
            }
          }
        }
      }
      return nil
    }
  }
}
