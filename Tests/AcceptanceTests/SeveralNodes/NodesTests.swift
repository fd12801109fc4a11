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

    private func start() throws -> RunningServer {
      try RunningServer(
        in: TemporaryFolder(),
        environment: [
          "REVOKED_STORE": url, "REVOKED_HANDLERS_AUDIT_KIND": "log", "REVOKED_LOG_LEVEL": "error",
        ])
    }

    /// nil: the server is gone, or did not answer whole.
    private func answer(to request: String, _ address: ListenAddress) -> Answer? {
      guard let client = try? Client(address) else { return nil }
      client.send(request)
      return Answer(client.read())
    }

    /// What the server says of the session; nil: nothing.
    private func isRefused(_ session: String, by server: RunningServer) -> Bool? {
      let request = "GET /v1/sessions/\(session) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      guard let answer = answer(to: request, server.privateAddress), answer.status == 200 else { return nil }
      return answer.body.contains(#""revoked":true"#)
    }

    private func post(_ sent: Load.Sent, to server: RunningServer) throws -> Bool {
      let request = try Load.request(sent).replacing("Host:", with: "Connection: close\r\nHost:", maxReplacements: 1)
      return answer(to: request, server.address)?.status == 200
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
          try #require(isRefused(sent.session, by: servers[victim]) != false, "round \(round)")
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
