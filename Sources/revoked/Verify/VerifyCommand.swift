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

/// What a header's value seems to claim, read as generously as the strict parser is strict, with each fault named.
struct HeaderReading {
  /// What is wrong with the value, one sentence each.
  private(set) var findings: [String] = []
  /// The digests that could be made out; more than one when the header holds several values.
  private(set) var digests: [Digest] = []

  init(_ value: String) {
    var text = String(Substring(value.utf8.trimmingWhiteSpace()))
    if text.utf8.count != value.utf8.count { findings.append("White space surrounds the header's value.") }
    if let colon = text.firstIndex(of: ":"), text.lowercased().hasPrefix("x-dynamic-signature") {
      let isOurs = text[..<colon].lowercased() == SignatureHeader.name.description
      findings.append(
        isOurs
          ? "The header's name stands in the value; the value is what follows the colon."
          : "The header is not `\(SignatureHeader.name)`: one of another name belongs to another product.")
      text = String(Substring(text[text.index(after: colon)...].utf8.trimmingWhiteSpace()))
    }
    let values = text.split { $0 == "," || $0.isWhitespace }
    if values.isEmpty { findings.append("The header's value is empty: the delivery is not signed.") }
    if values.count > 1 { findings.append("The header holds \(values.count) values; Dynamic sends exactly one.") }
    for value in values { read(value) }
  }

  private mutating func read(_ value: Substring) {
    guard let equals = value.firstIndex(of: "="), value[equals...].contains(where: { $0 != "=" }) else {
      // What is left of base64 may end in `=`, but nothing follows it.
      findings.append("The prefix `sha256=` is missing.")
      return readDigest(value)
    }
    let prefix = value[..<equals]
    let digest = value[value.index(after: equals)...]
    let algorithm = prefix.lowercased().filter { $0 != "-" && $0 != "_" }
    if prefix != "sha256" {
      // Shown only when it looks like a name: a secret pasted in the wrong place must not come out again.
      let isName =
        prefix.utf8.count <= 12 && prefix.allSatisfy { $0 == "-" || $0.isASCII && ($0.isLetter || $0.isNumber) }
      let shown = isName ? "`\(prefix)=`" : "something else"
      if algorithm == "sha256" || algorithm == "hmacsha256" {
        findings.append("The prefix is \(shown); it must be `sha256=`, in exactly this form.")
      } else {
        findings.append("The prefix is \(shown), another algorithm or scheme; Dynamic signs with `sha256=`.")
        return
      }
    }
    readDigest(digest)
  }

  private mutating func readDigest(_ text: Substring) {
    let hexadecimal = text.utf8.decodedHexadecimal
    if let hexadecimal, let digest = Digest(hexadecimal) {
      if text.contains(where: \.isUppercase) {
        findings.append("The digest is in upper-case hexadecimal; it must be in lower case.")
      }
      digests.append(digest)
    } else if let decoded = text.utf8.decodedBase64, let digest = Digest(decoded) {
      findings.append("The digest is in base64; it must be 64 lower-case hexadecimal digits.")
      digests.append(digest)
    } else {
      let count = text.utf8.count
      findings.append(
        count == 64
          ? "The digest holds characters that are not hexadecimal digits."
          : "The digest has \(count) characters; a SHA-256 has 64 hexadecimal digits.")
    }
  }
}

extension Digest {
  fileprivate init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.init(bytes: InlineArray { index in bytes[index] })
  }
}
