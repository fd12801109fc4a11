import HTTPMessage

/// Feeds the production reader as a connection would.
enum Reading {
  /// What it makes of the pieces that arrive one after another.
  static func outcomes(_ pieces: [ArraySlice<UInt8>], limits: MessageLimits = MessageLimits()) -> [Outcome] {
    var reader = RequestReader(limits: limits)
    var outcomes: [Outcome] = []
    var head = RequestHead()
    for piece in pieces {
      let input = Array(piece)
      var offset = 0
      while offset < input.count {
        // Connections share a head: what another's request left in it must not matter.
        use(&head)
        do throws(RequestError) {
          let rest = input.span.extracting(offset..<input.count)
          let (consumed, event) = try reader.next(rest, head: &head)
          if case .request(let body, let inStorage) = event {
            let storage = reader.storage
            outcomes.append(.request(inStorage ? request(head, storage.span, body) : request(head, rest, body)))
            reader.finish()
          }
          if event == .tooLarge { return outcomes + [.refused(413)] }
          guard consumed > 0 else { return outcomes + [.broken("every step takes bytes")] }
          guard reader.storage.count <= limits.headBytes + limits.bodyBytes else {
            return outcomes + [.broken("a request is held in its limits")]
          }
          offset += consumed
        } catch {
          return outcomes + [.refused(Int(error.status.code))]
        }
      }
    }
    return reader.isEmpty ? outcomes : outcomes + [.incomplete]
  }

  /// Byte by byte.
  static func outcomes(trickled wire: [UInt8], limits: MessageLimits = MessageLimits()) -> [Outcome] {
    outcomes(wire.indices.map { wire[$0...$0] }, limits: limits)
  }

  private static let earlier = Array(
    "POST /used HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 9\r\n\r\n".utf8)

  /// Sets every flag, as an earlier request may have.
  private static func use(_ head: inout RequestHead) {
    _ = try? head.parse(earlier.span, limits: MessageLimits())
  }

  private static func request(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ body: Range<Int>) -> ReadRequest {
    func copy(_ range: Range<Int>) -> [UInt8] { range.map { bytes[$0] } }
    return ReadRequest(
      method: "\(head.method)",
      path: copy(head.path.range),
      minorVersion: Int(head.minorVersion),
      keepsAlive: head.keepsAlive,
      expectsContinue: head.expectsContinue,
      fields: (0..<head.fieldCount).map { index in
        let field = head.field(at: index)
        return ReadRequest.Field(name: copy(field.name.range), value: copy(field.value.range))
      },
      body: copy(body))
  }
}
