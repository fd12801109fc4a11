#if PostgreSQL
  import Foundation
  import TestSupport
  import Testing

  /// A node that reaches its database no more, while others do.
  @Suite(
    .timeLimit(.minutes(5)), .serialized,
    .enabled(if: Cable.isPossible, "a network of its own needs root, ip and nsenter"))
  struct PartitionTests {
    private let folder: TemporaryFolder
    private var record: String { folder.path + "/record" }

    init() throws {
      folder = try TemporaryFolder()
      _ = try folder.write("", to: "record")
    }

    private func start(_ name: String, _ url: String, through cable: Cable? = nil) throws -> RunningServer {
      // Each line comes in one piece. Of the node that is cut off, an attempt ends when the test lets it.
      let script = """
        say() { echo "$1 $REVOKED_EVENT_ID $2" >> "$0"; }
        say "$1" begins
        while [ "$1" = cut ] && ! [ -e "$0-$REVOKED_EVENT_ID" ]; do say "$1" runs; sleep 0.02; done
        say "$1" ends
        """
      let command = try JSONEncoder().encode(["/bin/sh", "-c", script, record, name])
      let place = try TemporaryFolder()
      return try RunningServer(
        in: place,
        environment: [
          // These are the same in every network.
          "REVOKED_LISTEN": "unix:\(place.path)/public", "REVOKED_PRIVATE_LISTEN": "unix:\(place.path)/private",
          "REVOKED_STORE": url, "REVOKED_HANDLERS_AUDIT_KIND": "exec", "REVOKED_HANDLERS_AUDIT_CONCURRENCY": "4",
          "REVOKED_HANDLERS_AUDIT_COMMAND": String(decoding: command, as: UTF8.self),
        ], through: cable?.wrapper ?? [])
    }

    private func post(_ sent: Load.Sent, to server: RunningServer) throws -> Int {
      let body = DeliveryTests.event(session: sent.session, eventId: sent.eventID)
      return try server.post(body, signature: DeliveryTests.sign(body)).status
    }

    private func sent(to server: RunningServer) throws -> Load.Sent {
      let sent = Load.Sent()
      try #require(eventually { try post(sent, to: server) == 200 })
      return sent
    }

    private func lookUp(_ sent: Load.Sent, on server: RunningServer) throws -> Int {
      try server.get("/v1/forward-auth", fields: "X-Session-Id: \(sent.session)\r\n").status
    }

    /// The first answer that is none of a server which cannot tell.
    private func verdict(on sent: Load.Sent, of server: RunningServer) throws -> Int {
      var status = 503
      _ = try eventually {
        status = try lookUp(sent, on: server)
        return status != 503
      }
      return status
    }

    /// What the commands wrote, in the order of its happening.
    private func lines() throws -> [String] {
      try String(contentsOfFile: record, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private func contains(_ line: String) throws -> Bool { try lines().contains(line) }

    @Test(arguments: Cable.Fault.allCases)
    func `a node that is cut off answers 503 and stops its handlers before another takes over`(
      _ fault: Cable.Fault
    ) throws {
      let cable = Cable()
      let database = try PostgreSQLServer(trusting: cable.there)
      let cut = try start("cut", database.url(host: cable.here, parameters: "sslmode=disable"), through: cable)
      // The first to come leads.
      let (ended, ending, running) = try (sent(to: cut), sent(to: cut), sent(to: cut))
      for sent in [ended, ending, running] { #expect(try eventually { try contains("cut \(sent.eventID) runs") }) }
      _ = try folder.write("", to: "record-\(ended.eventID)")
      #expect(try eventually { try database.run("SELECT position FROM revoked.handler") == "1" })
      let other = try start("other", database.url())

      try cable.set(fault, true)
      let begun = ContinuousClock.now
      #expect(try lookUp(ended, on: cut) == 503)
      // A second; without that bound, the quarter of an hour after which the kernel gives a connection up.
      #expect(begun.duration(to: .now) < .seconds(30))
      // It ends in time, but nobody can be told.
      _ = try folder.write("", to: "record-\(ending.eventID)")
      #expect(try eventually { try contains("cut \(ending.eventID) ends") })
      #expect(try post(Load.Sent(), to: cut) == 503)
      let meanwhile = try sent(to: other)
      func isTakenOver() throws -> Bool {
        #expect(try lookUp(ended, on: cut) == 503)
        #expect(try verdict(on: ended, of: other) == 401)
        return try contains("other \(meanwhile.eventID) ends")
      }
      // 15 s, as long as the lease.
      #expect(try eventually(within: .seconds(120), isTakenOver))
      let takeover = begun.duration(to: .now)

      try cable.set(fault, false)
      // It never lets through what it has missed.
      #expect(try verdict(on: meanwhile, of: cut) == 401)
      let behind = try sent(to: cut)
      let all = [ended, ending, running, meanwhile, behind]
      for server in [cut, other] {
        #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="audit"}"#) == 0 })
        #expect(try server.metric(#"revoked_dead_letters{handler="audit"}"#) == 0)
        for sent in all { #expect(try verdict(on: sent, of: server) == 401) }
      }

      // One node at a time, and each event to one end: what ended unrecorded was made again.
      let lines = try lines()
      let first = try #require(lines.firstIndex { $0.hasPrefix("other") })
      #expect(lines[first...].allSatisfy { $0.hasPrefix("other") })
      func ends(of name: String) -> [String] {
        lines.filter { $0.hasPrefix(name) && $0.hasSuffix("ends") }.map { String($0.split(separator: " ")[1]) }
      }
      #expect(ends(of: "cut") == [ended, ending].map(\.eventID))
      #expect(Set(ends(of: "other")) == Set(all.dropFirst().map(\.eventID)))
      #expect(ends(of: "other").count == all.count - 1)

      // And it stays there.
      for server in [cut, other] {
        server.signal(SIGTERM)
        #expect(server.end() == 0)
      }
      let next = try start("next", database.url())
      let last = try sent(to: next)
      #expect(try eventually { try contains("next \(last.eventID) ends") })
      #expect(try self.lines().filter { $0.hasPrefix("next") }.count == 2)
      print("partition: \(fault.rawValue), taken over after \(takeover)")
    }
  }
#endif
