#if PostgreSQL
  import Foundation
  import HTTPServer
  import Synchronization
  import TestSupport
  import Testing

  /// Several servers on one database, some of which are killed or paused.
  @Suite(.timeLimit(.minutes(30)), .serialized) struct NodesTests {
    private static let rounds = LongRun.isAsked ? 50 : 6

    private let url: String

    init() throws {
      url = try PostgreSQLServer.shared().makeDatabaseURL()
    }

    private func start(_ url: String? = nil) throws -> RunningServer {
      try RunningServer(
        in: TemporaryFolder(),
        environment: [
          "REVOKED_STORE": url ?? self.url, "REVOKED_HANDLERS_AUDIT_KIND": "log", "REVOKED_LOG_LEVEL": "error",
        ])
    }

    /// nil: the server is gone, or did not answer whole.
    private func answer(to request: String, _ address: ListenAddress) -> Answer? {
      guard let client = try? Client(address) else { return nil }
      client.send(request)
      return Answer(client.read())
    }

    /// What the server says of the session at once; nil: nothing, or that it cannot tell.
    private func isRefusedNow(_ session: String, by server: RunningServer) -> Bool? {
      let request = "GET /v1/sessions/\(session) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      guard let answer = answer(to: request, server.privateAddress), answer.status == 200 else { return nil }
      return answer.body.contains(#""revoked":true"#)
    }

    /// The first thing that it says. It says 503 until it has connected again, which each of its loops does by itself,
    /// and where a busy machine keeps the answer from it for a second.
    private func isRefused(_ session: String, by server: RunningServer) -> Bool? {
      var isRefused: Bool?
      _ = eventually {
        isRefused = isRefusedNow(session, by: server)
        return isRefused != nil
      }
      return isRefused
    }

    private func post(_ sent: Load.Sent, to server: RunningServer) throws -> Bool {
      let request = try Load.request(sent).replacing("Host:", with: "Connection: close\r\nHost:", maxReplacements: 1)
      return answer(to: request, server.address)?.status == 200
    }

    private static let losses: [(name: String, lose: @Sendable (PostgreSQLServer) throws -> Void)] = [
      ("stopped", { try $0.stop(SIGINT) }), ("killed", { try $0.stop(SIGKILL) }), ("paused", { $0.pause(true) }),
    ]

    @Test func `without PostgreSQL look-ups are 503 on every node, in time, and right once it is back`() throws {
      let database = try PostgreSQLServer()
      let servers = try (0..<2).map { _ in try start(database.url()) }
      var sent = Load.Sent()
      #expect(try eventually { try post(sent, to: servers[0]) })
      for (name, lose) in Self.losses {
        for server in servers { #expect(isRefused(sent.session, by: server) == true, "before it is \(name)") }
        try lose(database)
        for path in ["/v1/sessions/\(sent.session)", "/v1/forward-auth"] {
          for server in servers {
            let begun = ContinuousClock.now
            let answer = try server.get(path, fields: "X-Session-Id: \(sent.session)\r\n")
            #expect(answer.status == 503, "\(path) while it is \(name)")
            // A second; without that bound, as long as a connection hangs: for ever where it is paused.
            #expect(begun.duration(to: .now) < .seconds(30), "\(path) while it is \(name)")
          }
        }
        sent = Load.Sent()
        #expect(try !post(sent, to: servers[1]), "while it is \(name)")
        database.pause(false)
        try database.start()
        #expect(try eventually { try post(sent, to: servers[1]) }, "behind its being \(name)")
        for server in servers { #expect(isRefused(sent.session, by: server) == true) }
      }
      servers[0].signal(SIGKILL)
      sent = Load.Sent()
      #expect(try eventually { try post(sent, to: servers[1]) })
      #expect(isRefused(sent.session, by: servers[1]) == true)
      #expect(try eventually { try servers[1].get("/readyz").status == 200 })
      #expect(try eventually { try servers[1].metric("revoked_store_proof_age_seconds").map { $0 < 3 } == true })
      #expect(try servers[1].metric("revoked_store_waits_for_standby") == 0)
      servers[1].signal(SIGTERM)
      #expect(servers[1].end() == 0)
    }

    private func status(_ server: RunningServer) throws -> String {
      try Executable.run("status", environment: ["REVOKED_DATA": server.folder.data]).output
    }

    @Test func `the status names the node that leads a handler, and the standby that commits wait for`() throws {
      let database = try PostgreSQLServer()
      let first = try start(database.url())
      #expect(try eventually { try status(first).contains("audit: 0 pending, 0 dead, led here\n") })
      let second = try start(database.url())
      #expect(try eventually { try status(second).contains("/\(first.processIdentifier)/") })
      #expect(try status(second).contains(", renewed "))
      #expect(try status(second).contains("no synchronous standby\n"))
      try database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
      try database.run("SELECT pg_reload_conf()")
      for server in [first, second] {
        #expect(
          try eventually {
            let text = try status(server)
            return text.contains("commits wait for a synchronous standby, WHICH IS AWAY\n")
              && text.contains("because        cannot reach") && text.contains("a synchronous standby that is away")
          })
      }
      try database.run("ALTER SYSTEM RESET synchronous_standby_names")
      try database.run("SELECT pg_reload_conf()")
      for server in [first, second] { #expect(try eventually { try status(server).contains(": ready\n") }) }
      // Its lease has ended meanwhile.
      #expect(try eventually { try status(first).contains("led ") && !status(first).contains("NO LEADER") })
      let (leader, other) = try status(first).contains("led here\n") ? (first, second) : (second, first)
      leader.signal(SIGKILL)
      _ = leader.exit()
      #expect(try eventually { try status(other).contains("led here\n") })
    }

    @Test(.enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
    func `while PostgreSQL's disk is full, deliveries are 503 or kept, and all goes on once there is space`() throws {
      let disk = try TinyDisk(megabytes: 200)
      let database = try PostgreSQLServer(in: disk.folder.path)
      let server = try start(database.url())
      let before = try Load(on: server.address, connections: 4)
      #expect(eventually { before.record.acknowledged.count >= 50 })
      try disk.writeBallast(bytes: 0)
      try disk.fill()
      #expect(eventually { before.record.refused.count >= 20 })
      let first = before.stop()
      let full = try Load(on: server.address, connections: 4)
      #expect(eventually { full.record.refused.count >= 20 })
      let second = full.stop()
      #expect(first.wrong + second.wrong == [])
      try disk.removeBallast()
      // It may have ended itself, for want of a place for its log.
      try database.stop()
      try database.start()
      let after = try Load(on: server.address, connections: 4)
      #expect(eventually { after.record.acknowledged.count >= 50 })
      let third = after.stop()
      let acknowledged = first.acknowledged + second.acknowledged + third.acknowledged
      for sent in acknowledged { #expect(isRefused(sent.session, by: server) == true) }
    }

    @Test func `what any of them has answered 200, none lets through from then on, and one of them hands it on`() throws
    {
      var random = SplitMix(seed: LongRun.seed(for: "nodes"))
      var servers = try (0..<3).map { _ in try start() }
      var logs: [LogReader] = servers.map(\.log)
      var acknowledged: [Load.Sent] = []
      for round in 0..<Self.rounds {
        let victim = Int.random(in: 0..<3, using: &random)
        let isKill = Bool.random(using: &random)
        let at = Int.random(in: 5..<40, using: &random)
        for number in 0..<60 {
          if number == at { servers[victim].signal(isKill ? SIGKILL : SIGSTOP) }
          // A paused server would be waited for.
          let alive = servers.indices.filter { number < at || $0 != victim }
          let sent = Load.Sent()
          guard try post(sent, to: servers[alive.randomElement(using: &random) ?? 0]) else { continue }
          acknowledged.append(sent)
          for index in alive {
            let isRefused = isRefused(sent.session, by: servers[index])
            try #require(isRefused == true, "round \(round), server \(index)")
          }
        }
        if isKill {
          _ = servers[victim].exit()
          servers[victim] = try start()
          logs.append(servers[victim].log)
        } else {
          servers[victim].signal(SIGCONT)
        }
        // Whatever it missed, it knows now, or says that it cannot tell.
        for sent in acknowledged.suffix(20) {
          try #require(isRefusedNow(sent.session, by: servers[victim]) != false, "round \(round)")
        }
      }
      #expect(acknowledged.count > Self.rounds * 30)
      // Handed on by one of them; by the next one after a lease at most where the one that had it was killed.
      var rest = Set(acknowledged.map(\.session))
      #expect(
        eventually(within: .seconds(60)) {
          for log in logs { rest = rest.filter { !log.text.contains($0) } }
          return rest.isEmpty
        }, "\(rest.count) of \(acknowledged.count) were not handed on")
      for server in servers { server.signal(SIGTERM) }
      for server in servers { #expect(server.end() == 0) }
    }
  }
#endif
