import DynamicEvents
import Foundation
import RevocationStore
import SQLite
import Storage
import TestSupport
import Testing

@Suite("A reader that stops reading", .timeLimit(.minutes(5)))
struct SlowReaderTests {
  /// 9 MB of feed: more than the sockets between server and client hold.
  static let sessions = 60_000

  @Test func `of the feed keeps no snapshot, so that the log is folded into the database behind it`() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    // The server gives no reader up while this runs.
    let server = try RunningServer(in: folder, environment: ["REVOKED_TIMEOUTS_WRITE": "1h"])
    let client = try Client(server.privateAddress)
    client.send("GET /v1/revocations HTTP/1.1\r\nHost: localhost\r\n\r\n")
    // The answer is under way, and never taken further.
    #expect(client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    let load = try Load(on: server.address, connections: 1)
    #expect(eventually { load.record.acknowledged.count >= 3 })
    _ = load.stop()
    // As the server's own checkpoint: it reaches the log's end only if no read began before that was written. It waits
    // for passing reads.
    let database = try Connection(folder.database, waiting: .atMost(milliseconds: 30_000))
    // Before its first read a connection does not know of the log.
    try database.execute("SELECT 1 FROM tally")
    let (log, folded) = try database.checkpoint(.truncate)
    #expect(log == 0)
    #expect(folded == 0)
  }

  private func fill(_ folder: TemporaryFolder) throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let now = Timestamp(Date())
    for start in stride(from: 0, to: Self.sessions, by: 1000) {
      _ = try store.append(
        (start..<start + 1000).map { _ in
          let id = UUID().uuidString.lowercased()
          let key = try #require(try EventKey(eventId: id.utf8.span))
          let session = try #require(SessionID(id))
          return IncomingEvent(
            key: key, messageID: nil, body: [], receivedAt: now, occurredAt: now,
            kind: .sessionRevoked(
              SessionRevoked(
                name: "user.session.revoked", eventID: id, session: session, by: .user, revokedAt: now, createdAt: now)
            ))
        })
    }
    try store.close()
  }
}
