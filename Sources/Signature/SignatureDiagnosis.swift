/// Why a signature is or is not valid, for a person at a terminal (`revoked verify --explain`).
///
/// Never for an HTTP answer: it tells what would have matched. Even so it holds no digest and no secret.
package struct SignatureDiagnosis: Sendable {
  /// Exactly what `SignatureVerifier` answers.
  package let isValid: Bool
  /// Plain sentences, the most useful first; never empty.
  package let findings: [String]

  /// - Parameters:
  ///   - headerValue: the value of `x-dynamic-signature-256`.
  ///   - body: the bytes at hand, which may not be the ones that were signed.
  ///   - secrets: counted from 1 in the findings, in this order.
  package init(headerValue: String, body: [UInt8], secrets: [Secret]) throws(OpenSSLFailure) {
    let reading = HeaderReading(headerValue)
    var findings = reading.findings
    if secrets.isEmpty { findings.append("No secret is set, so that nothing can match.") }
    guard !secrets.isEmpty, !reading.digests.isEmpty else {
      self.init(isValid: false, findings: findings)
      return
    }
    guard let match = try Match.first(of: reading.digests, body: body, secrets: secrets) else {
      findings.append(
        "The body or the secret differs: no secret of \(secrets.count) matches the \(body.count) bytes of the body, nor a "
          + "form that a usual change gives them. Sign and verify the raw bytes, before anything parses them.")
      self.init(isValid: false, findings: findings)
      return
    }
    if let finding = match.body { findings.append(finding) }
    let apart = findings.isEmpty ? "Secret" : "Apart from that, secret"
    let condition = match.condition.map { " when \($0)" } ?? ""
    findings.append("\(apart) \(match.secret) of \(secrets.count) matches\(condition).")
    let isExact = match.body == nil && match.condition == nil
    self.init(isValid: isExact && SignatureHeader.parse(Array(headerValue.utf8).span) != nil, findings: findings)
  }

  private init(isValid: Bool, findings: [String]) {
    self.isValid = isValid
    self.findings = findings
  }
}
