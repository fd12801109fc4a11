internal import DynamicEvents

extension Event {
  /// The event's id as others are told it: what fits into a header and a variable, the same in every attempt. An id
  /// that does not fit, or is missing, gives the hexadecimal digits of the key that the event is stored under.
  var deliveryID: String {
    get throws {
      if let id = envelope.eventId, id.isPlain { return id }
      return try keyDigits
    }
  }

  /// The same for `webhook-id`: Standard Webhooks joins id, time and body with dots for the signature, so an id must
  /// not have one.
  var webhookID: String {
    get throws {
      if let id = envelope.eventId, id.isPlain, !id.contains(".") { return id }
      return try keyDigits
    }
  }

  private var keyDigits: String {
    get throws {
      let key =
        try envelope.eventId.flatMap { try EventKey(eventId: Array($0.utf8).span) } ?? EventKey(ofBody: body.span)
      return key.bytes.map { byte in
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
      }.joined()
    }
  }
}

extension String {
  /// 1 to 256 printable ASCII characters without a space.
  var isPlain: Bool {
    (1...256).contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
