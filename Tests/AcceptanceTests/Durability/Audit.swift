import HTTPServer
import TestSupport
import Testing

/// Asks a running server about sessions, over one kept connection.
struct Audit {
  private let client: Client

  init(_ server: RunningServer) throws {
    client = try Client(server.privateAddress)
  }

  /// Those of the events whose session is refused, and refused because of this very event.
  func refused(_ events: [Load.Sent]) throws -> [Load.Sent] {
    try events.filter { sent in
      client.send("GET /v1/sessions/\(sent.session) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let answer = try #require(Answer(client.read(until: "}")))
      try #require(answer.status == 200, "\(answer.head)")
      return answer.body.contains(#""revoked":true"#) && answer.body.contains(#""eventId":"\#(sent.eventID)""#)
    }
  }
}
