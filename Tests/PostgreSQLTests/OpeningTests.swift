#if PostgreSQL
  import Dispatch
  import Foundation
  import Storage
  import Synchronization
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

    @Test func `a node whose role loses a right cannot commit from then on, and says which`() throws {
      let database = try TestDatabase()
      let role = "role_\(database.name)"
      _ = try PostgreSQLStore.migrate(url: database.url)
      try database.run(
        """
        CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA revoked TO \(role);
        GRANT ALL ON ALL TABLES IN SCHEMA revoked TO \(role); GRANT ALL ON ALL SEQUENCES IN SCHEMA revoked TO \(role)
        """)
      let url = database.server.url(database.name, user: role)
      let store = try PostgreSQLStore(url: url, mode: .serve)
      try store.probeWritable()
      for (right, object) in [
        ("INSERT ON revoked.event", "event"), ("SELECT ON revoked.delivery", "delivery"),
        ("UPDATE ON SEQUENCE revoked.beat", "beat"), ("USAGE ON SCHEMA revoked", "schema revoked"),
      ] {
        try database.run("REVOKE \(right) FROM \(role)")
        let error = #expect(throws: StoreError.self) { try store.probeWritable() }
        #expect(cause(try #require(error)).contains(object), "\(right)")
        #expect(throws: StoreError.self) { try PostgreSQLStore.check(url: url, makesStore: true) }
        try database.run("GRANT \(right) TO \(role)")
        try store.probeWritable()
      }
      try database.run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA revoked FROM public")
      #expect(cause(try error(url)).contains("append_1, append_again_1, claim_1, record_1"))
      try database.run("CREATE TABLE revoked.newer (id int)")
      try database.run("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA revoked TO public")
      try store.probeWritable()
    }

    @Test func `a node asks for rights to all that is in its schema`() throws {
      let database = try TestDatabase()
      _ = try PostgreSQLStore.migrate(url: database.url)
      let role = "role_\(database.name)"
      try database.run("CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA revoked TO \(role)")
      try database.run("GRANT SELECT ON revoked.meta TO \(role)")
      try database.run("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA revoked FROM public")
      let all = try database.run(
        """
        SELECT string_agg(name, ', ' ORDER BY name) FROM (
          SELECT relname::text FROM pg_class WHERE relnamespace = 'revoked'::regnamespace AND relkind IN ('r', 'S')
            AND relname NOT IN ('meta', 'handler_id_seq')
          UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'revoked'::regnamespace
            AND prorettype <> 'trigger'::regtype) AS all_of_it (name)
        """)
      #expect(cause(try error(database.server.url(database.name, user: role))).contains("rights to \(all) in the"))
    }

    @Test func `without its standby every failure says so, and no more commits wait than it takes to notice`() throws {
      let server = try PostgreSQLServer()
      let database = try TestDatabase(on: server)
      let nodes = try (0..<3).map { _ in try database.open() }
      for (number, node) in nodes.enumerated() {
        guard case .leads = try node.claim("handler-\(number)", patterns: [], at: time(1)) else { throw Unexpected() }
      }
      try server.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
      try server.run("SELECT pg_reload_conf()")
      let failures = Mutex<Set<String>>([])
      // An append waits for ten seconds, one behind it for the lock for four, and a beat for three.
      let end = ContinuousClock.now + .seconds(14)
      let senders = DispatchGroup()
      for (number, node) in nodes.enumerated() {
        senders.enter()
        Thread.detachNewThread {
          while ContinuousClock.now < end {
            do {
              try node.append([.other(UInt64(number))])
            } catch {
              _ = failures.withLock { $0.insert("\(error)") }
              usleep(20_000)
            }
          }
          senders.leave()
        }
      }
      senders.wait()
      let said = failures.withLock { $0 }
      #expect(said.count == 1 && said.first?.contains("standby that is away") == true, "\(said)")
      let waiting = try server.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
      // Eight, and for each node an append and a beat that began before they were as many.
      #expect(try #require(Int(waiting)) <= 8 + 2 * nodes.count, "\(waiting)")
      #expect("\(try error(database.url))".contains("standby that is away"))
      let look = try database.open(.inspect)
      #expect(try look.tally().events == 0)
      try server.run("ALTER SYSTEM RESET synchronous_standby_names")
      try server.run("SELECT pg_reload_conf()")
      #expect(eventually { (try? nodes[0].append([.revoking(1000)])) != nil })
    }

    @Test(arguments: ["fsync", "full_page_writes"])
    func `a setting that may lose commits is noticed beneath a node that runs, once`(_ setting: String) throws {
      let server = try PostgreSQLServer()
      let notices = Mutex<[String]>([])
      let store = try PostgreSQLStore(url: server.url(), mode: .serve) { notice in
        notices.withLock { $0.append("\(notice)") }
      }
      defer { try? store.close() }
      for (value, notice) in [("off", "mayLoseCommits"), ("on", "keepsCommits")] {
        try server.run("ALTER SYSTEM SET \(setting) = \(value)")
        try server.run("SELECT pg_reload_conf()")
        #expect(eventually { notices.withLock { $0.last } == notice })
        #expect(notices.withLock { $0.filter { $0 == notice }.count } == 1)
      }
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
      // Until it listens, nobody is there.
      #expect(
        try eventually { try cause(error("postgres://postgres@127.0.0.1:\(pooler.port)/postgres")).contains("pooler") })
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
