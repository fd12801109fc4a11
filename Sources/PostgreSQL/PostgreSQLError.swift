#if PostgreSQL
  /// A connection that cannot be made, or a statement that failed.
  package struct PostgreSQLError: Error, Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
      /// No server answers, or the connection was lost. What was under way may have happened or not.
      case unreachable
      /// The same, noticed by our own deadline.
      case timedOut
      /// The server does not let us in, or not in the way that the URL asks for.
      case refused
      /// The server says what is wrong with the statement: see `state`.
      case statement
      /// The statement succeeded with a warning: a commit may stand on one disk only.
      case warning
      /// The server sent something that the statement cannot return.
      case unexpected
    }

    package let kind: Kind
    /// Five characters (PostgreSQL's "SQLSTATE"); empty where the server named none.
    package let state: String
    /// The first line of what was said.
    package let message: String

    package init(_ kind: Kind, state: String = "", _ message: String) {
      self.kind = kind
      self.state = state
      self.message = message
    }

    /// Whether the connection is of no more use.
    package var isConnectionLost: Bool {
      switch kind {
      case .unreachable, .timedOut, .refused, .unexpected, .warning: true
      // 25006: the server has become read-only. 57P01 to 57P05: it ends the connection.
      case .statement: state == "25006" || state.hasPrefix("57P") || state.hasPrefix("08")
      }
    }

    static let wrongType = PostgreSQLError(.unexpected, "a row lacks a value, or holds one of another type")
  }

  extension PostgreSQLError {
    /// What a connection says that could not be made. libpq gives a SQLSTATE in the text only, where it is asked to be
    /// verbose: `FATAL:  28P01: password authentication failed for user "x"`.
    static func connecting(_ text: String) -> PostgreSQLError {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
      lines.removeAll { $0.hasPrefix("LOCATION:") }
      // Of several hosts the last one's words; a hint follows indented or on a line of its own.
      let line = lines.last { $0.contains("FATAL:") || $0.contains("failed:") } ?? lines.last ?? "no reason given"
      let state = sqlState(in: line)
      let message = state.isEmpty ? line : line.replacing("\(state): ", with: "")
      let isRefused =
        state.isEmpty
        ? setUpComplaints.contains { line.contains($0) }
        // Authorization, a database that does not exist, a connection that is not allowed.
        : state.hasPrefix("28") || state.hasPrefix("3D") || state == "42501" || state == "0LP01"
      // A connection that broke during the TLS handshake tells nothing of its set-up.
      let isBroken = line.contains("SSL SYSCALL") || line.contains("closed the connection")
      return PostgreSQLError(isRefused && !isBroken ? .refused : .unreachable, state: state, message)
    }

    /// What libpq itself says when the URL and the server do not fit each other.
    private static let setUpComplaints = [
      "certificate verify failed", "server certificate for", "SSL", "root certificate", "private key",
      "certificate file", "no password supplied",
      // A parameter's value.
      "invalid ",
      // Another kind of server has the port.
      "expected authentication request",
    ]

    private static func sqlState(in line: String) -> String {
      for part in line.split(separator: " ") where part.utf8.count == 6 && part.hasSuffix(":") {
        let state = part.dropLast()
        let hasDigit = state.utf8.contains { $0 < 0x3A }
        if hasDigit, state.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 }) { return String(state) }
      }
      return ""
    }
  }
#endif
