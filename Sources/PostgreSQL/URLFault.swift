#if PostgreSQL
  /// Which part of a URL is wrong, in words that repeat nothing of it: any part may be of a password that was not
  /// escaped.
  struct URLFault {
    let text: String

    private static let escaping =
      "what is special in a user's name or a password is written %40 (@), %2F (/), %3A (:) or %25 (%)"
    private static let hexDigits = Set("0123456789abcdefABCDEF".utf8)
    private static let modes: Set = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    /// What libpq could not read.
    ///
    /// - Parameter message: libpq's own. It is never translated, since this program sets no locale.
    init(_ url: String, _ message: String) {
      let reasons = [
        ("IPv6", "its host: an IPv6 address stands in brackets, as in [::1]"),
        ("unexpected character", "its host: behind an IPv6 address in brackets comes :PORT or /DATABASE"),
        ("missing key/value", "its parameters: behind the ? each is NAME=VALUE, with a & between two"),
        ("extra key/value", "its parameters: a = in a value is written %3D"),
        ("invalid URI query parameter", "its parameters: one of the names behind the ? is none of libpq's"),
      ]
      if let part = Parts(url).named.first(where: { Self.hasBadEscape($0.text) }) {
        text = "its \(part.name): a % must have two hexadecimal digits behind it, and none are 00; \(Self.escaping)"
      } else {
        text = reasons.first { message.contains($0.0) }?.1 ?? "libpq cannot read it"
      }
    }

    /// What libpq reads, and cannot be meant.
    init?(_ url: String, user: String?, hosts: [ConnectionURL.Host], sslMode: String?) {
      let parts = Parts(url)
      // libpq ends the password with the first @, and takes it for no password where a / stands before.
      if parts.hosts.contains("@") || parts.database.contains("@") {
        text = "its password or its host: there is an @ behind the host's beginning; \(Self.escaping)"
      } else if user?.contains(":") == true {
        // Messages name the user, and what stands behind it was meant for the password.
        text = "its user: there is a : in its name; between it and the password it is not escaped"
      } else if hosts.contains(where: { !$0.port.isEmpty && !(1...65_535 ~= Int($0.port) ?? 0) }) {
        text = "its port: it must be a number from 1 to 65535"
      } else if let sslMode, !Self.modes.contains(sslMode) {
        text = "its sslmode: it must be disable, allow, prefer, require, verify-ca or verify-full"
      } else {
        return nil
      }
    }

    private static func hasBadEscape(_ text: Substring) -> Bool {
      text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().contains { rest in
        let digits = rest.utf8.prefix(2)
        return digits.count < 2 || !digits.allSatisfy(hexDigits.contains) || rest.hasPrefix("00")
      }
    }

    /// As libpq finds them: `scheme://user:password@hosts/database?parameters`.
    private struct Parts {
      var user: Substring = ""
      var password: Substring = ""
      let hosts: Substring
      var database: Substring = ""
      var parameters: Substring = ""

      var named: [(name: String, text: Substring)] {
        [
          ("user", user), ("password", password), ("host", hosts), ("database", database), ("parameters", parameters),
        ]
      }

      init(_ url: String) {
        var rest = url[(url.firstRange(of: "://")?.upperBound ?? url.startIndex)...]
        if let end = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[end] == "@" {
          let colon = rest[..<end].firstIndex(of: ":") ?? end
          user = rest[..<colon]
          password = rest[colon..<end].dropFirst()
          rest = rest[end...].dropFirst()
        }
        let query = rest.firstIndex(of: "?") ?? rest.endIndex
        parameters = rest[query...].dropFirst()
        let slash = rest[..<query].firstIndex(of: "/") ?? query
        database = rest[slash..<query].dropFirst()
        hosts = rest[..<slash]
      }
    }
  }
#endif
