#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  internal import Storage

  extension PostgreSQLStore {
    /// Whether the event is usable now. If so, everything is as if it came now: it gets the next number, so that every
    /// handler meets it in its turn, also one that is about to pass its old place.
    func decodeAgain(
      event seq: Int64, at now: Timestamp, _ connection: Connection, until deadline: Deadline
    ) throws -> Bool {
      let rows = try connection.query(
        "SELECT body, received_at, source FROM revoked.event WHERE seq = $1 AND problem IS NOT NULL",
        [Parameter(seq)], until: deadline)
      guard rows.count == 1 else { return false }
      let body = try rows[0].bytes(0)
      let receivedAt = Timestamp(milliseconds: try rows[0].integer(1))
      guard let source = EventSource(rawValue: try rows[0].text(2)) else {
        throw PostgreSQLError(.unexpected, "an event is from nowhere known")
      }
      let event: Event
      let outline: EventOutline
      do throws(UndecodableReason) {
        (event, outline) = try (Event(body: body), EventOutline(body.span))
      } catch {
        // What this release has to say may be more than what the other one said.
        try connection.query(
          "UPDATE revoked.event SET problem = $2 WHERE seq = $1", [Parameter(seq), Parameter(error.description)],
          until: deadline)
        return false
      }
      // Stored anew by the only way in, under the key that it has now. It came from where it came from.
      _ = try Self.forgetUndecodable(event: seq, connection, until: deadline)
      var again = try IncomingEvent(outline, body, source: source, receivedAt: now)
      again.isTest = true
      if case .sessionRevoked(var revoked) = again.kind {
        revoked.revokedAt = revoked.revokedAt ?? event.envelope.timestamp ?? receivedAt
        again.kind = .sessionRevoked(revoked)
      }
      try append(again, connection, until: deadline)
      return true
    }
  }
#endif
