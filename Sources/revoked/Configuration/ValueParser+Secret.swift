internal import Handlers
internal import Signature

// No value is echoed here: a mistyped secret is mostly a secret.

extension ValueParser where Value == [Secret] {
  /// One or more, each at least 16 bytes, none twice.
  static var secrets: Self {
    ValueParser { (value) throws(Mismatch) in
      var texts =
        switch value.content {
        case .list(let list): list
        case .text(let text): [text]
        }
      guard !texts.isEmpty else { throw Mismatch("is empty; \(Settings.howToSetSecrets)") }
      var seen: Set<String> = []
      texts.removeAll { !seen.insert($0).inserted }
      var secrets: [Secret] = []
      for (at, text) in texts.enumerated() {
        secrets.append(try Secret.checked(text, called: texts.count == 1 ? "" : "number \(at + 1) of \(texts.count) "))
      }
      return secrets
    }
  }
}

extension ValueParser where Value == [WebhookSecret] {
  /// The shared secrets of a `forward` handler. More than a few are a mistake, and each signs each delivery.
  static var webhookSecrets: Self {
    ValueParser { (value) throws(Mismatch) in
      let texts =
        switch value.content {
        case .list(let list): list
        case .text(let text): [text]
        }
      guard (1...8).contains(texts.count) else { throw Mismatch("must be 1 to 8 secrets") }
      var secrets: [WebhookSecret] = []
      for (at, text) in texts.enumerated() {
        do throws(WebhookSecretError) {
          secrets.append(try WebhookSecret(text))
        } catch {
          throw Mismatch((texts.count == 1 ? "" : "number \(at + 1) of \(texts.count) ") + error.description)
        }
      }
      return secrets
    }
  }
}

extension ValueParser where Value == Secret {
  /// A token that fits into a header, where the peer must be able to send it.
  static var token: Self {
    ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw Mismatch("holds a space, a line end or another character that a header cannot carry")
      }
      return try Secret.checked(text, minimumBytes: 1)
    }
  }
}

extension Secret {
  fileprivate static func checked(
    _ text: String, called which: String = "", minimumBytes: Int = 16
  ) throws(Mismatch) -> Secret {
    do {
      return try Secret(text, minimumBytes: minimumBytes)
    } catch {
      switch error {
      case .empty:
        throw Mismatch("\(which)is empty\(minimumBytes > 1 ? "; it needs at least \(minimumBytes) bytes" : "")")
      case .tooShort(let bytes, let minimum):
        throw Mismatch("\(which)has \(bytes) bytes; it needs at least \(minimum)")
      }
    }
  }
}
