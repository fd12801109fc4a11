#if PostgreSQL
  import Foundation
  import Storage
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  @Suite(.timeLimit(.minutes(3))) struct OpeningTests {
    private func error(_ url: String, _ mode: StoreMode = .serve, makesStore: Bool = true) throws -> StoreError {
      let error = #expect(throws: StoreError.self) {
        _ = try PostgreSQLStore(url: url, mode: mode, makesStore: makesStore)
      }
      return try #require(error)
    }

    private func cause(_ error: StoreError) -> String {
      guard case .misconfigured(_, let cause) = error else { return "\(error)" }
      return cause
    }

    @Test func `eight nodes that start at once on an empty database make one store`() throws {
      let database = try TestDatabase()
      let results = Results()
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        do { results.add(try database.open()) } catch { results.add("\(error)") }
      }
      #expect(results.failures == [])
      #expect(results.stores.count { $0.isNew } == 1)
      #expect(Set(results.stores.map(\.createdAt)).count == 1)
      #expect(try database.run("SELECT schema FROM revoked.meta") == "1")
    }

    @Test func `where there is no store, only a server that may makes one`() throws {
      let database = try TestDatabase()
      guard case .missing = try error(database.url, .inspect) else { throw Unexpected() }
      guard case .newStoreRefused = try error(database.url, makesStore: false) else { throw Unexpected() }
      #expect(try database.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'revoked'") == "0")
      #expect(try PostgreSQLStore.migrate(url: database.url))
      #expect(try !PostgreSQLStore.migrate(url: database.url))
      #expect(try !database.open(.inspect).isNew)
    }

    @Test func `another program's schema is left alone`() throws {
      let database = try TestDatabase()
      try database.run("CREATE SCHEMA revoked; CREATE TABLE revoked.event (id int)")
      #expect(cause(try error(database.url)).contains("another program's"))
      #expect(throws: StoreError.self) { try PostgreSQLStore.migrate(url: database.url) }
      #expect(try database.run("SELECT count(*) FROM pg_class WHERE relnamespace = 'revoked'::regnamespace") == "1")
    }

    @Test func `a newer schema is used while it says that this release may`() throws {
      let database = try TestDatabase()
      try database.open().close()
      try database.run("UPDATE revoked.meta SET schema = 2, oldest_release = 1")
      #expect(try database.open().append([.revoking(1)]) == [.accepted])
      try database.run("UPDATE revoked.meta SET oldest_release = 2")
      #expect(throws: StoreError.schema(path: try TestDatabase.location(database), found: 2, known: 1)) {
        try database.open()
      }
    }

    @Test func `a role without rights is told which, and one that may not migrate is told who may`() throws {
      let database = try TestDatabase()
      let role = "role_\(database.name)"
      try database.run("CREATE ROLE \(role) LOGIN")
      let url = database.server.url(database.name, user: role)
      #expect(cause(try error(url)).contains("revoked migrate"))
      _ = try PostgreSQLStore.migrate(url: database.url)
      #expect(cause(try error(url)).contains("rights"))
      try database.run(
        "GRANT USAGE ON SCHEMA revoked TO \(role); GRANT SELECT ON ALL TABLES IN SCHEMA revoked TO \(role)")
      #expect(cause(try error(url)).contains("event"))
      try database.run(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA revoked TO \(role); "
          + "GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA revoked TO \(role)")
      let store = try PostgreSQLStore(url: url, mode: .serve)
      #expect(try store.append([.revoking(1), .other(2)]) == [.accepted, .accepted])
      guard case .leads = try store.claim("log", patterns: [], at: time(1)) else { throw Unexpected() }
    }

    @Test func `a server with fsync off, a reader, and one that is away are refused each in its way`() throws {
      let careless = try PostgreSQLServer(settings: ["fsync=off"])
      #expect(cause(try error(careless.url())).contains("fsync"))
      let database = try TestDatabase()
      try database.run("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
      guard case .unreachable = try error(database.url) else { throw Unexpected() }
      guard case .unreachable = try error("postgres://postgres@127.0.0.1:1/x") else { throw Unexpected() }
      guard case .misconfigured = try error(database.server.url("nowhere")) else { throw Unexpected() }
    }

    @Test(arguments: ["session", "transaction", "statement"])
    func `a connection pooler is refused, however it pools`(_ mode: String) throws {
      let pooler = try Pooler(before: .shared(), mode: mode)
      let end = ContinuousClock.now + .seconds(10)
      var found = StoreError.missing(path: "")
      repeat {
        found = try error("postgres://postgres@127.0.0.1:\(pooler.port)/postgres")
        guard case .unreachable = found else { break }
      } while ContinuousClock.now < end
      #expect(cause(found).contains("pooler"))
    }

    @Test func `a URL to another machine must say how it is encrypted, before anybody is asked`() throws {
      // Nobody has this address: it is reserved for documentation.
      #expect(cause(try error("postgres://postgres@192.0.2.1/x")).contains("sslmode"))
    }

    @Test func `an encoding that does not hold every text is refused`() throws {
      let server = try PostgreSQLServer.shared()
      let name = "latin_\(UInt32.random(in: 0 ... .max))"
      try server.run("CREATE DATABASE \(name) ENCODING 'LATIN1' TEMPLATE template0")
      #expect(cause(try error(server.url(name))).contains("UTF8"))
    }

    @Test func `a shorter retention counts a day after it was set, for all nodes`() throws {
      let database = try TestDatabase()
      let first = try database.open(retention: .seconds(30 * 86_400))
      #expect(first.shared.retention.former == nil)
      let second = try database.open(retention: .seconds(86_400))
      #expect(second.shared.retention.former?.until == time(2000 + 86_400_000))
      let look = try database.open(.inspect)
      #expect(look.shared.retention.period == second.shared.retention.period)
      #expect(look.shared.retention.former?.period == first.shared.retention.period)
    }
  }

  extension TestDatabase {
    static func location(_ database: TestDatabase) throws -> String {
      "postgres://postgres@127.0.0.1:\(database.server.port)/\(database.name)"
    }
  }

  private final class Results: @unchecked Sendable {
    // Used under its lock.
    private let lock = NSLock()
    private(set) var stores: [PostgreSQLStore] = []
    private(set) var failures: [String] = []

    func add(_ store: PostgreSQLStore) { lock.withLock { stores.append(store) } }
    func add(_ failure: String) { lock.withLock { failures.append(failure) } }
  }
#endif
