#if PostgreSQL
  internal import CPostgreSQL
  internal import Glibc

  extension Connection {
    /// Connects to one of the URL's servers, and waits until it is ready for statements.
    static func connect(
      _ url: ConnectionURL, _ host: ConnectionURL.Host, _ application: String, _ warnings: Warnings,
      until deadline: Deadline
    ) throws(PostgreSQLError) -> OpaquePointer {
      // What the URL says counts more than what stands before it, and less than what stands behind.
      var options = [
        ("gssencmode", "disable"), ("tcp_user_timeout", "5000"), ("keepalives_idle", "3"),
        ("keepalives_interval", "1"), ("keepalives_count", "3"), ("fallback_application_name", application),
        ("dbname", url.text), ("client_encoding", "UTF8"),
      ]
      if !host.name.isEmpty { options.append(("host", host.name)) }
      if !host.address.isEmpty { options.append(("hostaddr", host.address)) }
      if !host.port.isEmpty { options.append(("port", host.port)) }
      // Copies that last until libpq has made its own.
      let texts = unsafe options.flatMap { unsafe [strdup($0.0), strdup($0.1)] }
      defer { unsafe texts.forEach { unsafe free($0) } }
      let keywords = unsafe stride(from: 0, to: texts.count, by: 2).map { unsafe UnsafePointer(texts[$0]) } + [nil]
      let values = unsafe stride(from: 1, to: texts.count, by: 2).map { unsafe UnsafePointer(texts[$0]) } + [nil]
      guard let handle = unsafe PQconnectStartParams(keywords, values, 1) else {
        throw PostgreSQLError(.unreachable, "there is no memory for a connection")
      }
      // With the SQLSTATE in it.
      unsafe PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
      // The box lives as long as the connection that `init` makes of the handle; and until then as the argument.
      unsafe PQsetNoticeReceiver(
        handle,
        { box, result in
          guard let box = unsafe box, let result = unsafe result else { return }
          unsafe Unmanaged<Warnings>.fromOpaque(box).takeUnretainedValue().note(result)
        }, Unmanaged.passUnretained(warnings).toOpaque())
      var step = unsafe PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
      while step != PGRES_POLLING_OK {
        if step == PGRES_POLLING_FAILED {
          let text = unsafe String(cString: PQerrorMessage(handle))
          unsafe PQfinish(handle)
          throw .connecting(text)
        }
        var place = pollfd(
          fd: unsafe PQsocket(handle), events: Int16(step == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
        let ready = unsafe poll(&place, 1, deadline.milliseconds)
        if ready == 0 || ready < 0 && errno != EINTR || deadline.hasPassed {
          unsafe PQfinish(handle)
          throw PostgreSQLError(.timedOut, "\(host.name.isEmpty ? "the server" : host.name) does not answer")
        }
        step = unsafe PQconnectPoll(handle)
      }
      unsafe PQsetnonblocking(handle, 1)
      return unsafe handle
    }
  }

  /// What the server warned of. Used by the thread that has the connection.
  final class Warnings {
    private var first: PostgreSQLError?

    /// About numbers of transactions that run out in some million more, which change nothing of what was done.
    private static let harmless = ["GetNewTransactionId", "SetTransactionIdLimit", "GetNewMultiXactId"]

    func note(_ result: OpaquePointer) {
      // By the letters of PostgreSQL's protocol: severity (never translated), SQLSTATE, message, the function.
      func field(_ letter: Character) -> String {
        guard let code = letter.asciiValue, let text = unsafe PQresultErrorField(result, CInt(code)) else { return "" }
        return unsafe String(cString: text)
      }
      guard field("V") == "WARNING", !Self.harmless.contains(field("R")) else { return }
      first = first ?? PostgreSQLError(.warning, state: field("C"), field("M"))
    }

    /// Forgets it.
    func take() -> PostgreSQLError? {
      defer { first = nil }
      return first
    }
  }
#endif
