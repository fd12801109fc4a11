#if PostgreSQL
  import Foundation
  import TestSupport
  import Testing

  @testable import PostgreSQL

  @Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
    let server: PostgreSQLServer
    let connection: Connection

    init() throws {
      server = try PostgreSQLServer.shared()
      connection = try Connection(ConnectionURL(server.url()), application: "test", patience: .seconds(10))
    }

    private var soon: Deadline { .after(.seconds(10)) }

    @Test func `every kind of value comes back as it went`() throws {
      let bytes: [UInt8] = [0, 1, 255, 0x5C, 0x27]
      let rows = try connection.query(
        "SELECT $1::bigint, $2::text, $3::bytea, $4::bool, $5::text, $6::bigint",
        [
          Parameter(Int64.min), Parameter("a'ä\0b"), Parameter(bytes), Parameter(true), Parameter(nil as String?),
          Parameter(-1),
        ], until: soon)
      let row = rows[0]
      #expect(try row.integer(0) == Int64.min)
      #expect(try row.text(1) == "a'ä\u{FFFD}b")
      #expect(try row.bytes(2) == bytes)
      #expect(try row.bool(3))
      #expect(row.isNull(4))
      #expect(try row.integer(5) == -1)
      #expect(throws: PostgreSQLError.wrongType) { try row.integer(2) }
      #expect(throws: PostgreSQLError.wrongType) { try row.text(4) }
    }

    @Test func `an array comes back with its NULLs, also an empty one`() throws {
      var texts = ArrayParameter(.text)
      texts.append("a")
      texts.append(nil as String?)
      texts.append("")
      var numbers = ArrayParameter(.bigint)
      for number in [3, -4, Int64.max] { numbers.append(number) }
      let row = try connection.query(
        "SELECT array_to_string($1::text[], ',', 'null'), $2::bigint[], cardinality($3::uuid[])",
        [texts.parameter, numbers.parameter, ArrayParameter(.uuid).parameter], until: soon)[0]
      #expect(try row.text(0) == "a,null,")
      #expect(try row.integers(1) == [3, -4, .max])
      #expect(try row.integer(2) == 0)
    }

    @Test func `a statement that the server refuses leaves the connection usable`() throws {
      #expect(throws: PostgreSQLError(.statement, state: "22012", "division by zero")) {
        try connection.query("SELECT 1 / $1::int8", [Parameter(0)], until: soon)
      }
      #expect(throws: PostgreSQLError.self) { try connection.query("SELEC", until: soon) }
      #expect(try connection.query("SELECT 1 / $1::int8", [Parameter(1)], until: soon)[0].integer(0) == 1)
    }

    @Test func `a statement that takes longer than its deadline costs the connection`() throws {
      #expect(throws: PostgreSQLError(.timedOut, "the server does not answer in time")) {
        try connection.query("SELECT pg_sleep(30)", until: .after(.milliseconds(100)))
      }
      #expect(!connection.isOpen)
      #expect(throws: PostgreSQLError.self) { try connection.query("SELECT 1", until: soon) }
    }

    @Test func `a warning fails the statement and costs the connection`() throws {
      #expect(throws: PostgreSQLError(.warning, state: "01000", "beware")) {
        try connection.execute("DO $$ BEGIN RAISE WARNING 'beware'; END $$", until: soon)
      }
      #expect(!connection.isOpen)
    }

    @Test func `a notice is none`() throws {
      try connection.execute("DO $$ BEGIN RAISE NOTICE 'hello'; END $$", until: soon)
      #expect(connection.isOpen)
    }

    @Test func `a transaction is all or nothing`() throws {
      struct Stop: Error {}
      let table = "t\(UInt32.random(in: 0 ... .max))"
      try connection.execute("CREATE TABLE \(table) (n int8)", until: soon)
      #expect(throws: Stop.self) {
        try connection.transaction(until: soon) { connection in
          try connection.execute("INSERT INTO \(table) VALUES (1)", until: soon)
          throw Stop()
        }
      }
      try connection.transaction(until: soon) { try $0.execute("INSERT INTO \(table) VALUES (2)", until: soon) }
      #expect(try connection.query("SELECT n FROM \(table)", until: soon).map { try $0.integer(0) } == [2])
    }

    @Test func `a connection that the server ends says so, and is closed`() throws {
      try server.run("SELECT pg_terminate_backend(\(connection.backend))")
      let error = #expect(throws: PostgreSQLError.self) { try connection.query("SELECT 1", until: soon) }
      #expect(error?.isConnectionLost == true)
      #expect(!connection.isOpen)
    }

    @Test func `statements in a pipeline return in their order, while others are still sent`() throws {
      let name = try connection.prepare("SELECT $1::int8, repeat('x', 100000)", until: soon)
      try connection.enterPipeline()
      for number in 0..<50 { try connection.send(prepared: name, [Parameter(number)]) }
      var numbers: [Int64] = []
      _ = try eventually {
        _ = try connection.flush()
        try connection.consume()
        while let rows = try connection.next() { numbers.append(try rows[0].integer(0)) }
        return numbers.count >= 50
      }
      #expect(numbers == (0..<50).map(Int64.init))
    }

    @Test func `a failure in a pipeline costs the connection`() throws {
      let name = try connection.prepare("SELECT 1 / $1::int8", until: soon)
      try connection.enterPipeline()
      for number in [1, 0, 1] { try connection.send(prepared: name, [Parameter(number)]) }
      var found: [Int64] = []
      let error = #expect(throws: PostgreSQLError.self) {
        _ = try eventually {
          _ = try connection.flush()
          try connection.consume()
          while let rows = try connection.next() { found.append(try rows[0].integer(0)) }
          return false
        }
      }
      #expect(error?.state == "22012")
      #expect(found == [1])
      #expect(!connection.isOpen)
    }
  }

  @Suite(.timeLimit(.minutes(2))) struct ConnectingTests {
    private func error(_ url: String, patience: Duration = .seconds(5)) throws -> PostgreSQLError {
      let error = #expect(throws: PostgreSQLError.self) {
        _ = try Connection(ConnectionURL(url), application: "test", patience: patience)
      }
      return try #require(error)
    }

    @Test func `nobody there, a silent one, and one that hangs up are all out of reach`() throws {
      #expect(try error("postgres://postgres@127.0.0.1:1/postgres").kind == .unreachable)
      let silent = try StandInServer { _ in StandInResponse(raw: "") }
      defer { silent.stop() }
      let url = "postgres://postgres@127.0.0.1:\(silent.port)/x"
      #expect(try error(url, patience: .milliseconds(200)).kind == .timedOut)
      #expect(try error("postgres://x@nowhere.invalid/x").kind == .unreachable)
    }

    @Test func `a wrong password or database is refused, with a SQLSTATE and without the password`() throws {
      let server = try PostgreSQLServer(access: .password)
      try server.run("ALTER ROLE postgres PASSWORD '\(PostgreSQLServer.password)'")
      let right = "postgres://postgres:\(PostgreSQLServer.password)@127.0.0.1:\(server.port)"
      _ = try Connection(ConnectionURL(right + "/postgres"), application: "test", patience: .seconds(5))
      let wrong = try error("postgres://postgres:wrong-guess@127.0.0.1:\(server.port)/postgres")
      #expect(wrong.kind == .refused)
      #expect(wrong.state == "28P01")
      #expect(!wrong.message.contains("wrong-guess"))
      let missing = try error(right + "/nowhere")
      #expect(missing.kind == .refused)
      #expect(missing.state == "3D000")
    }

    @Test func `the next server of the URL is asked when one is away or reads only`() throws {
      let server = try PostgreSQLServer.shared()
      let url = "postgres://postgres@127.0.0.1:1,127.0.0.1:\(server.port)/postgres?target_session_attrs=read-write"
      _ = try Connection(ConnectionURL(url), application: "test", patience: .seconds(5))
    }

    @Test func `TLS is verified against the authority and the name`() throws {
      let (authority, other) = try (ThrowawayAuthority(), ThrowawayAuthority())
      let server = try PostgreSQLServer(certificate: authority.path)
      let start = "postgres://postgres@localhost:\(server.port)/postgres?sslmode=verify-full&sslrootcert="
      let connection = try Connection(
        ConnectionURL(start + authority.certificate), application: "test", patience: .seconds(5))
      #expect(connection.isEncrypted)
      #expect(try error(start + other.certificate).kind == .refused)
      let address = start.replacing("localhost", with: "127.0.0.1")
      #expect(try error(address + authority.certificate).kind == .refused)
      let plain = try PostgreSQLServer.shared()
      #expect(try error(plain.url(parameters: "sslmode=require")).kind == .refused)
    }

    @Test(arguments: [
      ("postgres://u:p%40w@db.example:5433/main?sslmode=verify-full", "postgres://u@db.example:5433/main"),
      ("postgresql://db/main?password=secret", "postgres://db/main"),
      ("postgres://a:1,b:2/x?target_session_attrs=read-write", "postgres://a:1,b:2/x"),
      ("postgres:///x?host=/run/postgresql", "postgres:///run/postgresql/x"),
      ("postgres://[::1]:5432/x", "postgres://[::1]:5432/x"),
    ]) func `a URL shows neither its password nor its parameters`(url: String, shown: String) throws {
      #expect(try ConnectionURL(url).description == shown)
    }

    @Test(arguments: [
      "postgres://[::1/x", "postgres://h/x?sslmode", "mysql://x", "postgres://h/x?nonsense=1",
      "postgres://a,b,c/x?port=1,2", "postgres:///x?service=nonsense",
    ]) func `what is no URL of libpq's is refused, without its words`(url: String) {
      let error = #expect(throws: PostgreSQLError.self) { try ConnectionURL(url) }
      #expect(error?.kind == .refused)
      #expect(error?.message.contains("nonsense") == false)
    }

    @Test(arguments: [
      ("postgres://u:s3cr%et@h/x", "password"), ("postgres://u%4:s3cret@h/x", "user"), ("postgres://h%zz/x", "host"),
      ("postgres://h/s3cret%00", "database"), ("postgres://h/x?password=s3cret%", "parameters"),
      ("postgres://[::1/x", "host"), ("postgres://[::1]s3cret/x", "host"), ("postgres://[]/x", "host"),
      ("postgres://h/x?s3cret", "parameters"), ("postgres://h/x?password=a=s3cret", "parameters"),
      ("postgres://h/x?s3cret=1", "parameters"), ("postgres://u:12/s3cret@h/x", "password or its host"),
      ("postgres://u:s3cr/et@h/x", "password or its host"), ("postgres://u:a@s3cret@h/x", "password or its host"),
      ("postgres://h:s3cret/x", "port"), ("postgres://h:0/x", "port"), ("postgres://h:65536/x", "port"),
      ("postgres://a,b:54a32/x", "port"), ("postgres://h/x?sslmode=s3cret", "sslmode"),
    ]) func `the part of a URL that is wrong is named, and none of its words`(url: String, part: String) {
      let error = #expect(throws: PostgreSQLError.self) { try ConnectionURL(url) }
      #expect(error?.kind == .refused)
      #expect(error?.message.contains(" wrong in its \(part): ") == true, "\(error?.message ?? "")")
      for word in ["s3cr", "54a32", "65536"] { #expect(error?.message.contains(word) == false) }
    }

    @Test func `a password that is missing, and a server of another kind, are the URL's fault`() throws {
      let server = try PostgreSQLServer(access: .password)
      #expect(try error(server.url()).kind == .refused)
      let (other, port) = try listen(backlog: 2)
      defer { close(other) }
      for mode in ["disable", "require"] {
        Thread.detachNewThread {
          let visitor = accept(other, nil, nil)
          var request = [UInt8](repeating: 0, count: 1024)
          _ = unsafe request.withUnsafeMutableBytes { unsafe recv(visitor, $0.baseAddress, $0.count, 0) }
          let answer = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
          _ = unsafe answer.withUnsafeBytes { unsafe send(visitor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
          close(visitor)
        }
        let found = try error("postgres://postgres@127.0.0.1:\(port)/x?sslmode=\(mode)")
        #expect(found.kind == .refused, "\(mode): \(found.message)")
      }
      #expect(try error(server.url(parameters: "target_session_attrs=nonsense")).kind == .refused)
    }

    @Test(arguments: [
      ("postgres://localhost/x", true), ("postgres://127.0.0.1,[::1]/x", true), ("postgres:///x?host=/run", true),
      ("postgres:///x", true), ("postgres://db/x", false), ("postgres://localhost,db/x", false),
      ("postgres://localhost/x?hostaddr=10.0.0.1", false), ("postgres://127.example.com/x", false),
      ("postgres://127.0.0.1.example.com/x", false), ("postgres://128.0.0.1/x", false),
      ("postgres://127.1.2.3/x", true), ("postgres://[::2]/x", false),
    ]) func `only what stays on this machine is local`(url: String, isLocal: Bool) throws {
      #expect(try ConnectionURL(url).isLocal == isLocal)
    }
  }
#endif
