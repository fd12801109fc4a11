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
