#if PostgreSQL
  internal import CPostgreSQL
  internal import Glibc

  /// `postgres://user:password@host:port,host:port/database?parameters`, as libpq reads it. A secret: it describes
  /// itself without its password and parameters.
  package struct ConnectionURL: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// One of the servers that it names, in the order in which they are asked.
    struct Host: Hashable, Sendable {
      /// A name, an address, or a folder of a unix socket; empty: libpq's default.
      var name: String
      /// An address that spares the look-up of the name.
      var address: String
      var port: String
    }

    package let description: String
    package var debugDescription: String { description }
    let text: String
    let hosts: [Host]
    /// As it stands in the URL or in `PGSSLMODE`; nil: libpq's default, which does without encryption where the server
    /// does.
    package let sslMode: String?

    /// Whether the text is meant for PostgreSQL at all.
    package static func isOne(_ text: String) -> Bool {
      text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    package init(_ text: String) throws(PostgreSQLError) {
      guard Self.isOne(text) else { throw PostgreSQLError(.refused, "the store's URL does not begin with postgres://") }
      let options = try Self.parse(text)
      // libpq would take servers, or how they are to be proved, from a file that nothing here has read.
      guard options["service"] == nil, Self.environment("PGSERVICE") == nil else {
        throw PostgreSQLError(.refused, "a service of libpq's stands in for parts of the URL: write them out")
      }
      self.text = text
      func list(_ name: String, _ variable: String) -> [String] {
        let value = options[name] ?? Self.environment(variable) ?? ""
        return value.isEmpty ? [] : value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      let (names, addresses) = (list("host", "PGHOST"), list("hostaddr", "PGHOSTADDR"))
      let ports = list("port", "PGPORT")
      let count = max(names.count, addresses.count, 1)
      guard ports.count <= 1 || ports.count == count else {
        throw PostgreSQLError(.refused, "the store's URL names \(ports.count) ports for \(count) hosts")
      }
      hosts = (0..<count).map { index in
        Host(
          name: index < names.count ? names[index] : "", address: index < addresses.count ? addresses[index] : "",
          port: ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : "")
      }
      sslMode = options["sslmode"] ?? Self.environment("PGSSLMODE")
      if let fault = URLFault(text, user: options["user"], hosts: hosts, sslMode: sslMode) {
        throw PostgreSQLError(.refused, "the store's URL is wrong in \(fault.text)")
      }
      let user = options["user"].map { "\($0)@" } ?? ""
      let places = hosts.map { host in
        let name = host.name.isEmpty ? host.address : host.name
        if host.port.isEmpty || name.hasPrefix("/") { return name }
        return "\(name.contains(":") ? "[\(name)]" : name):\(host.port)"
      }
      description = "postgres://\(user)\(places.joined(separator: ","))/\(options["dbname"] ?? "")"
    }

    /// Whether every server is on this machine, so that nobody listens in.
    package var isLocal: Bool {
      hosts.allSatisfy { host in
        let place = host.address.isEmpty ? host.name : host.address
        if place.isEmpty || place.hasPrefix("/") || place.hasPrefix("@") || place == "localhost" { return true }
        var (old, new) = (in_addr(), in6_addr())
        // The structures live for the calls. A name is no address, whatever it begins with.
        if unsafe inet_pton(AF_INET, place, &old) == 1 { return UInt32(bigEndian: old.s_addr) >> 24 == 127 }
        guard unsafe inet_pton(AF_INET6, place, &new) == 1 else { return false }
        return unsafe withUnsafeBytes(of: new) { unsafe $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
      }
    }

    private static func environment(_ name: String) -> String? {
      guard let value = unsafe getenv(name) else { return nil }
      let text = unsafe String(cString: value)
      return text.isEmpty ? nil : text
    }

    private static func parse(_ text: String) throws(PostgreSQLError) -> [String: String] {
      var message: UnsafeMutablePointer<CChar>?
      // libpq's list ends with an entry without a keyword, and is freed here.
      guard let list = unsafe PQconninfoParse(text, &message) else {
        defer { unsafe PQfreemem(message) }
        // libpq's text lasts until it is freed.
        let reason = unsafe message.map { unsafe String(cString: $0) } ?? ""
        throw PostgreSQLError(.refused, "the store's URL is wrong in \(URLFault(text, reason).text)")
      }
      defer { unsafe PQconninfoFree(list) }
      var options: [String: String] = [:]
      var entry = unsafe list
      while let keyword = unsafe entry.pointee.keyword {
        if let value = unsafe entry.pointee.val { unsafe options[String(cString: keyword)] = String(cString: value) }
        unsafe entry += 1
      }
      return options
    }
  }
#endif
