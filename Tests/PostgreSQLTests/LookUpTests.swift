#if PostgreSQL
  import DynamicEvents
  import Foundation
  import Storage
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
        let start = ContinuousClock.now
        guard case .failure = try loop.isRevoked([session(1)]) else { throw Unexpected() }
        #expect(ContinuousClock.now - start < .milliseconds(1500))
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
      let start = ContinuousClock.now
      guard case .failure = try loop.isRevoked([session(1)]) else { throw Unexpected() }
      #expect(ContinuousClock.now - start < .milliseconds(1500))
      #expect(throws: StoreError.self) { try store.checkIsReliable() }
      server.pause(false)
      #expect(try loop.first([session(1)]) == [session(1)])
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
      try primary.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
      try primary.run("SELECT pg_reload_conf()")
      return (primary, standby)
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
      let end = ContinuousClock.now + .seconds(20)
      while separated.pulse?.lease.isValid == true {
        #expect(ContinuousClock.now < end)
        usleep(20_000)
      }
      primary.pause(true)
      var number: UInt64 = 100
      while ContinuousClock.now < end {
        if (try? store.append([.revoking(number)])) != nil { break }
        number += 1
      }
      acknowledged.append(number)
      let all = try acknowledged.map { try session($0) }
      #expect(try loop.first(all) == all)
      primary.pause(false)
      for _ in 0..<20 {
        guard case .failure = try old.isRevoked([session(number)]) else { throw Unexpected() }
      }
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
      try waitFor("the standby follows") {
        try standby.run("SELECT count(*) FROM revoked.revocation", in: database) == "20"
      }
      try standby.stop()
      try store.append((21...40).map { try .revoking(UInt64($0)) })
      let late = try #require(try store.feed(after: 20, limit: 100, at: time(2000)).entries.last).cursor
      #expect(store.knows(late))
      try primary.stop(SIGKILL)
      try standby.start()
      try standby.promote()
      try waitFor("appends work again") { (try? store.append([.revoking(99)])) != nil }
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
      try waitFor("appends work again") { (try? store.append([.other(3)])) != nil }
      #expect(try store.append([.other(2)]) == [.duplicate])
    }

    private func waitFor(_ what: String, _ condition: () throws -> Bool) throws {
      struct TooLong: Error { let what: String }
      let end = ContinuousClock.now + .seconds(30)
      while try !condition() {
        guard ContinuousClock.now < end else { throw TooLong(what: what) }
        usleep(50_000)
      }
    }
  }
#endif
