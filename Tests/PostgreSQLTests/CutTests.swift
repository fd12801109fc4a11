#if PostgreSQL
  import Storage
  import TestSupport
  import Testing

  @testable import PostgreSQLStore

  @Suite(.timeLimit(.minutes(5))) struct CutTests {
    @Test func `a connection cut at any message costs no event, and stores none twice`() throws {
      let server = try PostgreSQLServer.shared()
      let database = try TestDatabase(on: server)
      try database.open().close()
      let proxy = try CuttingProxy(to: server.port)
      let url = "postgres://postgres@127.0.0.1:\(proxy.port)/\(database.name)?sslmode=disable"
      // Without the pulse of a server, so that the appends' messages alone are counted.
      let store = try PostgreSQLStore(url: url, mode: .amend)
      var number: UInt64 = 0
      var (held, failed, wereStored) = (0, 0, 0)
      // On a connection that is used already, and on one that has to be made and set up first.
      for messages in Array(0...12) + Array(0...60).filter({ LongRun.isAsked || $0 % 3 == 0 }) {
        number += 1
        let event = try IncomingEvent.revoking(number)
        proxy.cut(after: messages)
        let answer = try? store.append([event])
        proxy.cut(after: nil)
        if answer != nil { held += 1 } else { failed += 1 }
        // What was answered holds; what was not is sent again, and is then stored once.
        let again = try store.appendUntilAnswered([event])
        if answer == [.accepted] { #expect(again == [.duplicate]) }
        if answer == nil, again == [.duplicate] { wereStored += 1 }
      }
      #expect(try database.run("SELECT count(*) FROM revoked.event") == "\(number)")
      #expect(try database.run("SELECT count(*) FROM revoked.revocation") == "\(number)")
      #expect(held > 0)
      #expect(failed > 10)
      // Cut behind the commit: stored, and not answered.
      #expect(wereStored > 0)
    }
  }

  extension PostgreSQLStore {
    fileprivate func appendUntilAnswered(_ events: [IncomingEvent]) throws -> [AppendOutcome] {
      var outcomes: [AppendOutcome]?
      _ = eventually {
        outcomes = try? append(events)
        return outcomes != nil
      }
      return try #require(outcomes)
    }
  }
#endif
