import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct StoreSettingTests {
  private static let url = "postgres://revoked:top-secret@127.0.0.1:1/revoked?application_name=hidden-parameter"
  private static let environment = ["REVOKED_STORE": url, "DYNAMIC_WEBHOOK_SECRET": Executable.secret]

  @Test func `the URL of the store is never shown`() throws {
    let shown = try Executable.run("config", "show", environment: Self.environment)
    #expect(shown.status == 0 && shown.output.contains("store"))
    #expect(!shown.output.contains("top-secret") && !shown.output.contains("hidden-parameter"))
    let json = try Executable.run("config", "show", "--json", environment: Self.environment)
    #expect(!json.output.contains("top-secret") && !json.output.contains("hidden-parameter"))
  }

  @Test func `the URL is not taken from the command line, nor one of another kind`() throws {
    let flag = try Executable.run("config", "check", "--set", "store=\(Self.url)")
    #expect(flag.status == 78 && flag.errors.contains("store") && !flag.errors.contains("top-secret"))
    let other = try Executable.run(
      "config", "check", environment: ["REVOKED_STORE": "mysql://revoked:top-secret@host/"])
    #expect(other.status == 78 && other.errors.contains("postgres://") && !other.errors.contains("top-secret"))
  }

  @Test(arguments: [
    ["check", "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"], ["events", "list"], ["dead", "list"], ["store", "verify"],
    ["migrate"], ["init"],
  ])
  func `a command that cannot have the store says why in one line, without the URL's secrets`(
    _ command: [String]
  ) throws {
    let process = Executable.process(command, Self.environment)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #if PostgreSQL
      // Nothing listens there.
      #expect(process.terminationStatus == 69)
    #else
      #expect(process.terminationStatus == 78 && text.contains("--traits PostgreSQL"))
    #endif
    #expect(text.split(separator: "\n").count == 1)
    #expect(!text.contains("top-secret") && !text.contains("hidden-parameter"))
  }

  #if PostgreSQL
    private func check(_ url: String) throws -> Executable.Result {
      try Executable.run(
        "config", "check", environment: ["REVOKED_STORE": url, "DYNAMIC_WEBHOOK_SECRET": Executable.secret])
    }

    @Test func `a database that only its operator can mend fails the check of the configuration`() throws {
      let server = try PostgreSQLServer(access: .password)
      let (fresh, foreign) = try (server.makeDatabase(), server.makeDatabase())
      try server.run("CREATE SCHEMA revoked; CREATE TABLE revoked.event (id int)", in: foreign)
      try server.run("CREATE ROLE guest LOGIN PASSWORD '\(PostgreSQLServer.password)'")
      try server.run("ALTER ROLE postgres PASSWORD '\(PostgreSQLServer.password)'")
      func url(_ database: String, _ user: String = "postgres:\(PostgreSQLServer.password)") -> String {
        server.url(database, user: user)
      }
      #expect(try Executable.run("migrate", environment: ["REVOKED_STORE": url("postgres")]).status == 0)
      let careless = try PostgreSQLServer(settings: ["fsync=off"])
      for (url, cause) in [
        (url(fresh, "postgres:wrong-guess"), "password"), (url(fresh, "postgres"), "no password supplied"),
        (url("nowhere"), "nowhere"), (url(fresh, "nobody:wrong-guess"), "nobody"),
        (url(fresh) + "?sslmode=require", "SSL"), (url(foreign), "another program's"),
        (url(fresh, "guest:\(PostgreSQLServer.password)"), "revoked migrate"),
        (url("postgres", "guest:\(PostgreSQLServer.password)"), "lacks rights"), (careless.url(), "fsync"),
        ("postgres://h:65536/x", "its port"),
      ] {
        let found = try check(url)
        #expect(found.status == 78 && found.output == "", "\(cause): \(found)")
        #expect(found.errors.hasPrefix("revoked: store (REVOKED_STORE): "), "\(cause): \(found.errors)")
        #expect(found.errors.contains(cause) && found.errors.split(separator: "\n").count == 1, "\(found.errors)")
        #expect(!found.errors.contains("wrong-guess") && !found.errors.contains(PostgreSQLServer.password))
      }
      for good in [url(fresh), url("postgres")] {
        let found = try check(good)
        #expect(found.status == 0 && found.errors == "", "\(found)")
      }
      #expect(try server.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'revoked'", in: fresh) == "0")
    }

    @Test func `a database that is away is a notice of the check, since there may be none where it is made`() throws {
      let found = try check(Self.url)
      #expect(found.status == 0 && found.output.hasPrefix("configuration ok"), "\(found)")
      #expect(found.errors.split(separator: "\n").count { $0.contains("notice: store: ") } == 1, "\(found.errors)")
    }
  #endif

  @Test(arguments: [["store", "verify"], ["events", "list"], ["dead", "list"]])
  func `a folder that a command names is meant, whatever the environment says of a database`(
    _ command: [String]
  ) throws {
    let folder = try TemporaryFolder()
    #expect(try Executable.run("init", "--data", "\(folder.path)/data").status == 0)
    let own = try Executable.run(command + ["--data", "\(folder.path)/data"], environment: Self.environment)
    #expect(own.status == 0, "\(own.errors)")
    let missing = try Executable.run(command + ["--data", "\(folder.path)/none"], environment: Self.environment)
    #expect(missing.status == 74 && missing.errors.contains("/none"), "\(missing.errors)")
  }

  @Test func `a copy of what cannot be read makes nothing`() throws {
    let folder = try TemporaryFolder()
    let copy = try Executable.run("store", "copy", "--from", "\(folder.path)/none", "--to", "\(folder.path)/new")
    #expect(copy.status == 74 && copy.errors.contains("/none"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test func `a store on PostgreSQL is copied by PostgreSQL's own tools`() throws {
    let backup = try Executable.run("backup", "/nowhere/at-all", environment: Self.environment)
    #expect(backup.status == 1 && backup.errors.contains("pg_dump") && !backup.errors.contains("top-secret"))
    let migrate = try Executable.run("migrate")
    #expect(migrate.status == 78 && migrate.errors.contains("revoked serve"))
  }
}
