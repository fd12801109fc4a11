/// A secret as it may have been misread by the signer, or by the one who configured it here.
struct SecretVariant {
  /// How it was used, to stand after "secret 1 of 2 matches when"; `nil` for the secret as it is.
  let condition: String?
  /// A plain array that nobody wipes: variants exist only in the command that explains, which ends right after.
  let bytes: [UInt8]

  /// Every misreading of these bytes that gives other, non-empty bytes.
  static func misreadings(of secret: [UInt8]) -> [SecretVariant] {
    var variants: [SecretVariant] = []
    func add(_ condition: String, _ bytes: [UInt8]?) {
      guard let bytes, !bytes.isEmpty, bytes != secret else { return }
      variants.append(SecretVariant(condition: condition, bytes: bytes))
    }
    let trimmed = Array(secret.trimmingWhiteSpace())
    add("the white space around it is removed", trimmed)
    add("a newline (LF) is left at its end", secret + [UInt8(ascii: "\n")])
    add("a newline (CRLF) is left at its end", secret + [UInt8(ascii: "\r"), UInt8(ascii: "\n")])
    for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] {
      add("quotes are put around it", [quote] + secret + [quote])
      if trimmed.count > 2, trimmed.first == quote, trimmed.last == quote {
        add("the quotes around it are removed", Array(trimmed.dropFirst().dropLast()))
      }
    }
    add("it is decoded as hexadecimal", Hexadecimal.decode(trimmed))
    add("it is decoded as base64", Base64.decode(trimmed))
    return variants
  }
}
