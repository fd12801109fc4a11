internal import Foundation
internal import Signature

/// What a webhook secret looks like. One that does not look like Dynamic's may be long enough, and be taken; then every
/// delivery is answered 401.
enum SecretReading {
  private static let prefix = "dyn_"

  /// What is unusual about it, to stand behind "the secret". Never a part of it.
  static func doubts(_ bytes: [UInt8]) -> [String] {
    var doubts: [String] = []
    var rest = bytes[...]
    if rest.starts(with: byteOrderMark) {
      doubts.append("begins with a byte order mark, which counts as a part of it: save the file without one")
      rest = rest.dropFirst(byteOrderMark.count)
    }
    let trimmed = rest.trimmingWhiteSpace()
    if trimmed.count < rest.count { doubts.append("has white space around it, which counts as a part of it") }
    let text = String(decoding: trimmed, as: UTF8.self)
    if let doubt = doubt(text) { doubts.append(doubt) }
    return doubts
  }

  private static func doubt(_ text: String) -> String? {
    if text.hasPrefix(prefix) {
      return text.split(whereSeparator: isSeparator).dropFirst().contains { $0.hasPrefix(prefix) }
        ? "holds several secrets joined by a comma or semicolon: separate them by white space, or write one a line"
        : nil
    }
    if unquoted(text) != nil { return "is in quotes, which count as a part of it: remove them" }
    if isPlaceholder(text) { return "is a placeholder, such as ${NAME}, that nothing replaced" }
    if !strings(inJSON: text).isEmpty { return "is JSON: only the text of the secret belongs here" }
    if assigned(text) != nil { return "is written NAME=VALUE, and the name counts as a part of it: remove it" }
    if text.hasPrefix("whsec_") { return "is one of Standard Webhooks (whsec_); Dynamic's begin with \(prefix)" }
    if let decoded = text.utf8.decodedBase64, decoded.starts(with: prefix.utf8) {
      return "is in base64: write it as Dynamic's dashboard shows it"
    }
    return "does not begin with \(prefix), as Dynamic's do"
  }

  /// The secret as it may have been meant, or misread by the signer: other bytes, with how they came about, to stand
  /// behind "secret 1 of 2 matches when".
  static func variants(of secret: [UInt8]) -> [(condition: String, bytes: [UInt8])] {
    var variants: [(String, [UInt8])] = []
    func add(_ condition: String, _ bytes: [UInt8]?) {
      guard let bytes, !bytes.isEmpty, bytes != secret else { return }
      variants.append((condition, bytes))
    }
    let bare = secret.starts(with: byteOrderMark) ? Array(secret.dropFirst(byteOrderMark.count)) : secret
    add("the byte order mark before it is removed", bare)
    let trimmed = Array(bare.trimmingWhiteSpace())
    add("the white space around it is removed", trimmed)
    add("a newline (LF) is left at its end", secret + Array("\n".utf8))
    add("a newline (CRLF) is left at its end", secret + Array("\r\n".utf8))
    for quote in ["\"", "'"] { add("quotes are put around it", quote.utf8 + secret + quote.utf8) }
    let text = String(decoding: trimmed, as: UTF8.self)
    add("the quotes around it are removed", unquoted(text).map { Array($0.utf8) })
    if let value = assigned(text) {
      add("the name before it is removed", Array(value.utf8))
      add("the name before it and the quotes around it are removed", unquoted(value).map { Array($0.utf8) })
    }
    for part in text.split(whereSeparator: isSeparator).prefix(8) {
      add("it is taken for several, joined by a comma or semicolon", Array(part.utf8.trimmingWhiteSpace()))
    }
    for string in strings(inJSON: text) { add("it is taken out of the JSON around it", Array(string.utf8)) }
    add("it is decoded as hexadecimal", trimmed.decodedHexadecimal)
    add("it is decoded as base64", trimmed.decodedBase64)
    // As `echo secret | base64` makes it.
    add(
      "it is decoded as base64, and the newline after it is removed",
      trimmed.decodedBase64.map { Array($0.trimmingWhiteSpace()) })
    if text.hasPrefix("whsec_") {
      add("it is decoded as Standard Webhooks do", trimmed.dropFirst(6).decodedBase64)
    }
    return variants
  }

  /// What is taken as it is written, in any other value, although a shell would not; to stand behind the key.
  static func slip(inValue text: String) -> String? {
    if unquoted(text) != nil { return "is in quotes, which count as a part of it: remove them" }
    if isPlaceholder(text) || text.contains("${") {
      return "holds a placeholder, such as ${NAME}, that nothing replaced"
    }
    if text == "~" || text.hasPrefix("~/") || text.hasPrefix("unix:~") {
      return "begins with ~, which only a shell replaces: write the whole path"
    }
    return nil
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private static func isSeparator(_ character: Character) -> Bool { character == "," || character == ";" }

  /// Without the quotes around it; `nil` where there are none.
  static func unquoted(_ text: String) -> String? {
    guard text.count > 2, let first = text.first, "\"'`".contains(first), text.last == first else { return nil }
    return String(text.dropFirst().dropLast())
  }

  /// The value of a line `NAME=VALUE`, as a file of variables has it.
  private static func assigned(_ text: String) -> String? {
    guard let match = text.wholeMatch(of: /(?:export\s+)?[A-Za-z_][A-Za-z0-9_.\-]*\s*[=:]\s*(.*[^=\s].*)/) else {
      return nil
    }
    return String(match.output.1)
  }

  /// `${NAME}`, `$(command)`, `$NAME`, `{{ name }}`, `<name>`, `%NAME%`.
  static func isPlaceholder(_ text: String) -> Bool {
    text.wholeMatch(of: /\$\{[^}]*\}|\$\([^)]*\)|\$[A-Za-z_]\w*|\{\{.*\}\}|<[^>]*>|%\w+%/) != nil
  }

  private static func strings(inJSON text: String) -> [String] {
    guard text.hasPrefix("{") || text.hasPrefix("["),
      let json = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    else { return [] }
    if let object = json as? [String: Any] { return object.values.compactMap { $0 as? String } }
    return (json as? [Any])?.compactMap { $0 as? String } ?? []
  }
}
