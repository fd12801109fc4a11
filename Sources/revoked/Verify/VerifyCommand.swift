internal import ArgumentParser
internal import Receiver
internal import Signature

/// Why a signature is or is not valid, for a person at a terminal (`revoked verify --explain`).
///
/// Never for an HTTP answer: it tells what would have matched. Even so it holds no digest and no secret.
struct SignatureDiagnosis: Sendable {
  /// Exactly what `SignatureVerifier` returns.
  let isValid: Bool
  /// Plain sentences, the conclusion last; never empty.
  let findings: [String]

  /// - Parameters:
  ///   - headerValue: the value of `x-dynamic-signature-256`.
  ///   - body: the bytes at hand, which may not be the ones that were signed.
  ///   - secrets: counted from 1 in the findings, in this order.
  init(headerValue: String, body: [UInt8], secrets: [Secret]) throws(OpenSSLFailure) {
    let reading = HeaderReading(headerValue)
    // Plain arrays that are not wiped: the command that explains ends right after.
    let keys = secrets.map { $0.withBytes { bytes in bytes.indices.map { bytes[$0] } } }
    var findings = reading.findings
    if secrets.isEmpty { findings.append("No secret is set, so that nothing can match.") }
    guard !secrets.isEmpty, !reading.digests.isEmpty else {
      self.init(isValid: false, findings: findings)
      return
    }
    guard let match = try Match.first(of: reading.digests, body: body, keys: keys) else {
      findings += Self.doubts(keys)
      findings.append(
        "The body or the secret differs: no secret of \(keys.count) matches the \(body.count) bytes of the body, nor a "
          + "form that a usual change gives them. Sign and verify the raw bytes, before anything parses them.")
      self.init(isValid: false, findings: findings)
      return
    }
    if let finding = match.body { findings.append(finding) }
    let apart = findings.isEmpty ? "Secret" : "Apart from that, secret"
    let condition = match.condition.map { " when \($0)" } ?? ""
    if match.condition != nil { findings += Self.doubts(keys) }
    findings.append("\(apart) \(match.secret) of \(keys.count) matches\(condition).")
    let isExact = match.body == nil && match.condition == nil
    self.init(isValid: isExact && SignatureHeader.parse(Array(headerValue.utf8).span) != nil, findings: findings)
  }

  private init(isValid: Bool, findings: [String]) {
    self.isValid = isValid
    self.findings = findings
  }

  private static func doubts(_ keys: [[UInt8]]) -> [String] {
    keys.enumerated().flatMap { index, key in
      SecretReading.doubts(key).map { "Secret \(index + 1) of \(keys.count) \($0)." }
    }
  }
}

/// A secret and a body that make one of the claimed digests.
private struct Match {
  /// What happened to the body; `nil` when it is as it was signed.
  let body: String?
  /// How the secret was misread; `nil` when it was not.
  let condition: String?
  /// Counted from 1.
  let secret: Int

  /// The plainest explanation: a changed body is likelier than a misread secret, and both at once least likely.
  static func first(of digests: [Digest], body: [UInt8], keys: [[UInt8]]) throws(OpenSSLFailure) -> Match? {
    let bodies = BodyVariant.all(of: body)
    let exact: [[(condition: String?, bytes: [UInt8])]] = keys.map { [(nil, $0)] }
    let misread: [[(condition: String?, bytes: [UInt8])]] = keys.map { key in
      SecretReading.variants(of: key).map { ($0.condition, $0.bytes) }
    }
    for candidates in [exact, misread] {
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

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks a signature against a body read from standard input.",
    discussion: "Exit 0: valid with one of the configured secrets; 1: not.")

  @Option(help: ArgumentHelp("The value of x-dynamic-signature-256.", valueName: "value"))
  var signature: String

  @Flag(help: "Say why.")
  var explain = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load(requiring: [.secrets])
    let body = try StandardInput.readAll()
    let diagnosis = try SignatureDiagnosis(headerValue: signature, body: body, secrets: settings.receiver.secrets)
    try Output.line(diagnosis.isValid ? "valid" : "not valid")
    if explain {
      for finding in diagnosis.findings { try Output.line(finding) }
    }
    if !diagnosis.isValid { throw Failure.no }
  }
}
