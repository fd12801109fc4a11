#if PostgreSQL
  import Dispatch
  import DynamicEvents
  import Foundation
  import Storage
  import Synchronization
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  @Suite(.timeLimit(.minutes(3))) struct LookUpTests {
    @Test func `a session is refused by every node right behind the answer to its event`() throws {
      let database = try TestDatabase()
      let stores = try (0..<3).map { _ in try database.open() }
      let loops = try stores.map { try LookUpLoop($0) }
      for loop in loops { #expect(try loop.first([session(1)]) == []) }
      for number in UInt64(1)...60 {
        try stores[Int(number) % 3].append([.revoking(number)])
        for loop in loops {
          #expect(try loop.isRevoked([session(number), session(number + 1000)]) == .success([session(number)]))
        }
      }
    }

    @Test func `a cut-off counts on every node at once`() throws {
      let database = try TestDatabase()
      let (one, other) = try (database.open(), database.open())
      let loop = try LookUpLoop(other)
      _ = try loop.first([session(1)])
      let user = UUIDBytes(high: 1, low: 2)
      let now: Int64 = 1_700_000_000_000
      let token = TokenClaims(
        sid: try session(1), user: user, issuedAt: NumericDate(milliseconds: now - 5000))
      #expect(try loop.standing(token, at: time(now)) == .success([.good]))
      try one.append([.cutting(user, before: now, event: 1)])
      #expect(try loop.standing(token, at: time(now)) == .success([.cutOff]))
      try one.append([.revoking(1, event: 2)])
      #expect(try loop.standing(token, at: time(now)) == .success([.revoked]))
    }

    @Test func `a server that goes away fails look-ups within a second, and is used again when it is back`() throws {
      let server = try PostgreSQLServer()
      let database = try TestDatabase(on: server)
      let store = try database.open()
      let loop = try LookUpLoop(store)
      try store.append([.revoking(1)])
      #expect(try loop.first([session(1)]) == [session(1)])
      for signal in [SIGKILL, SIGQUIT, SIGINT] {
        try server.stop(signal)
        guard case .failure = try loop.isRevoked([session(1)]) else { throw Unexpected() }
        #expect(throws: StoreError.self) { try store.append([.revoking(2)]) }
        try server.start()
        #expect(try loop.first([session(1)]) == [session(1)])
        #expect(try store.append([.revoking(1)]) == [.duplicate])
      }
    }

    @Test func `a server that hangs fails look-ups within a second, and their lease ends`() throws {
      let server = try PostgreSQLServer()
      let database = try TestDatabase(on: server)
      let store = try database.open()
      let loop = try LookUpLoop(store)
      try store.append([.revoking(1)])
      _ = try loop.first([session(1)])
      server.pause(true)
      defer { server.pause(false) }
      guard case .failure = try loop.isRevoked([session(1)]) else { throw Unexpected() }
      #expect(throws: StoreError.self) { try store.checkIsReliable() }
      server.pause(false)
      #expect(try loop.first([session(1)]) == [session(1)])
    }

    @Test func `where no descriptor is left, questions fail at once`() throws {
      let store = try TestDatabase().open()
      let lease = try #require(store.pulse?.lease)
      let lookUps = PipelinedLookUps(store, lease, descriptor: -1)
      var answers: [Result<[SessionID], StoreError>] = []
      lookUps.revoked(of: [try session(1)]) { answers.append($0) }
      guard case .failure = try #require(answers.first) else { throw Unexpected() }
    }

    @Test func `look-ups are answered from the opening on`() throws {
      let database = try TestDatabase()
      for _ in 0..<5 {
        guard case .success = try LookUpLoop(database.open()).isRevoked([session(1)]) else { throw Unexpected() }
      }
    }

    @Test func `whether commits wait for a standby is known, and told when it changes`() throws {
      let server = try PostgreSQLServer()
      let notices = Mutex<[Bool]>([])
      let told = DispatchSemaphore(value: 0)
      let store = try PostgreSQLStore(url: server.url(), mode: .serve) { notice in
        switch notice {
        case .waitsForStandby: notices.withLock { $0.append(true) }
        case .waitsForNoStandby: notices.withLock { $0.append(false) }
        default: return
        }
        told.signal()
      }
      #expect(told.wait(timeout: .now() + 30) == .success)
      #expect(store.server?.waitsForStandby == false)
      #expect(eventually { (store.server?.proofAge).map { $0 < .seconds(3) } == true })
      let standby = try PostgreSQLServer(settings: ["cluster_name=standby"], following: server)
      for names in ["standby", ""] {
        try server.run("ALTER SYSTEM SET synchronous_standby_names = '\(names)'")
        try server.run("SELECT pg_reload_conf()")
        #expect(told.wait(timeout: .now() + 30) == .success)
        #expect(store.server?.waitsForStandby == !names.isEmpty)
      }
      #expect(notices.withLock { $0 } == [false, true, false])
      try standby.stop()
      try store.close()
    }

    @Test func `what is asked while a statement is under way goes out with the next one, and that is one`() throws {
      let database = try TestDatabase()
      // Each statement becomes a line of the server's log before it is answered.
      try database.run("ALTER DATABASE \(database.name) SET log_statement = 'all'")
      let store = try database.open()
      try store.append([.revoking(1), .revoking(2), .revoking(3)])
      let loop = try LookUpLoop(store)
      func statements() -> [Substring] {
        database.server.log.split(separator: "\n").filter { $0.contains(": SELECT 0::smallint, pg_is_in_recovery()") }
      }
      func ask() throws -> [Result<[SessionID], StoreError>] {
        var answers: [Result<[SessionID], StoreError>] = []
        for number in UInt64(1)...3 {
          // The first one goes out at once. Its answer is not taken before all are asked.
          loop.lookUps.revoked(of: [try session(number)]) { answers.append($0) }
          loop.lookUps.roundEnded()
        }
        try loop.run { answers.count == 3 }
        return answers
      }
      let isAnswered = try eventually {
        _ = try loop.first([session(1)])
        let before = statements().count
        // On a busy machine the server may be too late.
        guard try ask() == (1...3).map({ .success([try session($0)]) }) else { return false }
        #expect(statements().count == before + 2)
        return true
      }
      #expect(isAnswered)
    }

    @Test func `more questions than the server is to have at once fail at once`() throws {
      let database = try TestDatabase()
      guard case .remote(let lookUps) = try database.open().makeLookUps() else { throw Unexpected() }
      var failed = 0
      let many = try (1...4000).map { try session($0) }
      for _ in 0..<10 { lookUps.revoked(of: many) { if case .failure = $0 { failed += 1 } } }
      #expect(failed == 2)
    }
  }

  @Suite(.timeLimit(.minutes(5))) struct FailoverTests {
    /// A primary that waits for its standby with each commit.
    private func pair() throws -> (primary: PostgreSQLServer, standby: PostgreSQLServer) {
      let primary = try PostgreSQLServer()
      let standby = try PostgreSQLServer(settings: ["cluster_name=standby"], following: primary)
      try waitForStandby(primary)
      return (primary, standby)
    }

    private func waitForStandby(_ server: PostgreSQLServer) throws {
      try server.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
      try server.run("SELECT pg_reload_conf()")
    }

    @Test func `behind a promotion nothing acknowledged is missing, and the old primary is not believed`() throws {
      let (primary, standby) = try pair()
      let database = try primary.makeDatabase()
      let hosts = "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)"
      let url = "postgres://postgres@\(hosts)/\(database)?target_session_attrs=read-write"
      let store = try PostgreSQLStore(url: url, mode: .serve)
      // It knows of the old primary alone, which stays alive: the split brain.
      let separated = try PostgreSQLStore(url: primary.url(database), mode: .serve)
      let (loop, old) = try (LookUpLoop(store), LookUpLoop(separated))
      var acknowledged: [UInt64] = []
      for number in UInt64(1)...50 {
        try store.append([.revoking(number)])
        acknowledged.append(number)
      }
      #expect(try old.first([session(1)]) == [session(1)])

      // The primary does not learn of it, and cannot commit any more. Managers take longer than the lease to promote.
      try standby.promote()
      let hasEnded = try eventually {
        _ = try old.isRevoked([session(1)])
        return separated.pulse?.lease.isValid == false
      }
      try #require(hasEnded)
      primary.pause(true)
      var number: UInt64 = 100
      let isStored = eventually {
        number += 1
        return (try? store.append([.revoking(number)])) != nil
      }
      try #require(isStored)
      acknowledged.append(number)
      let all = try acknowledged.map { try session($0) }
      #expect(try loop.first(all) == all)
      primary.pause(false)
      for _ in 0..<20 {
        guard case .failure = try old.isRevoked([session(number)]) else { throw Unexpected() }
      }
    }

    @Test func `of failover upon failover under load, nothing acknowledged is lost`() throws {
      var (primary, standby) = try pair()
      try waitForStandby(standby)
      let database = try primary.makeDatabase()
      let hosts = "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)"
      let url = "postgres://postgres@\(hosts)/\(database)?target_session_attrs=read-write"
      let nodes = try (0..<2).map { _ in try PostgreSQLStore(url: url, mode: .serve) }
      let writers = Writers(nodes)
      defer { writers.end() }
      for _ in 0..<(LongRun.isAsked ? 10 : 2) {
        try #require(writers.goOn())
        try primary.stop(SIGKILL)
        try standby.promote()
        // Until it is there, commits wait.
        let next = try PostgreSQLServer(settings: ["cluster_name=standby"], following: standby, port: primary.port)
        (primary, standby) = (standby, next)
      }
      try #require(writers.goOn())
      let acknowledged = writers.end().acknowledged
      for node in nodes { #expect(try LookUpLoop(node).missing(of: acknowledged) == []) }
    }

    @Test func `behind a lossy failover the feed's lost numbers are not known, and the others are`() throws {
      let primary = try PostgreSQLServer()
      let standby = try PostgreSQLServer(following: primary)
      let database = try primary.makeDatabase()
      let hosts = "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)"
      let url = "postgres://postgres@\(hosts)/\(database)?target_session_attrs=read-write"
      let store = try PostgreSQLStore(url: url, mode: .serve)
      try store.append((1...20).map { try .revoking(UInt64($0)) })
      let early = try store.feed(after: 0, limit: 100, at: time(2000)).entries[9].cursor
      let counted = "SELECT count(*) FROM revoked.revocation"
      try #require(eventually { try standby.run(counted, in: database) == "20" })
      try standby.stop()
      try store.append((21...40).map { try .revoking(UInt64($0)) })
      let late = try #require(try store.feed(after: 20, limit: 100, at: time(2000)).entries.last).cursor
      #expect(store.knows(late))
      try primary.stop(SIGKILL)
      try standby.start()
      try standby.promote()
      try #require(eventually { (try? store.append([.revoking(99)])) != nil })
      #expect(store.knows(early))
      #expect(!store.knows(late))
      #expect(try store.feed(after: 20, limit: 100, at: time(2000)).entries.map(\.cursor.seq) == [21])
    }

    @Test func `an event that only one disk has is not acknowledged, nor is its repetition`() throws {
      let (primary, standby) = try pair()
      let database = try primary.makeDatabase()
      let store = try PostgreSQLStore(url: primary.url(database), mode: .serve)
      try store.append([.other(1)])
      standby.pause(true)
      #expect(throws: StoreError.self) { try store.append([.other(2)]) }
      // It is on the primary's disk by now; who asks again must not be told that all is well.
      #expect(throws: StoreError.self) { try store.append([.other(2)]) }
      #expect(throws: StoreError.self) { try store.probeWritable() }
      standby.pause(false)
      try #require(eventually { (try? store.append([.other(3)])) != nil })
      #expect(try store.append([.other(2)]) == [.duplicate])
    }
  }
#endif
