internal import Signature

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
