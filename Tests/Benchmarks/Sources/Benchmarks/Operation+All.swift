import DynamicEvents
import HTTPMessage
import Signature

extension Operation {
  static var all: [Operation] {
    [
      Operation("head of 11 fields, parsed", instructions: 8800, allocations: 0) {
        var head = RequestHead()
        let limits = MessageLimits()
        return { (try? head.parse(Delivery.head.span, limits: limits)) == .complete ? head.fieldCount : 0 }
      },
      Operation("request in one read", instructions: 9200, allocations: 0) {
        request([Delivery.head + Delivery.body])
      },
      Operation("request in two reads", instructions: 19_700, allocations: 2) {
        request([Delivery.head, Delivery.body])
      },
      Operation("chunked request in one read", instructions: 21_700, allocations: 3) {
        request([Delivery.chunked])
      },
      // Both allocations are libcrypto's: EVP_MAC_init copies the keyed digest contexts.
      Operation("signature, verified", instructions: 25_900, allocations: 2) {
        let verifier = try SignatureVerifier(secrets: [try Secret(Delivery.secret)])
        return { verifier.isValid(Delivery.signature.span, body: Delivery.body.span) ? 1 : 0 }
      },
      Operation("outline of a session event", instructions: 11_700, allocations: 0) {
        { (try? EventOutline(Delivery.body.span))?.eventName.range.count ?? 0 }
      },
      Operation("key of an event", instructions: 1800, allocations: 0) {
        let outline = try EventOutline(Delivery.body.span)
        return { (try? outline.key(in: Delivery.body.span)).hashValue }
      },
      Operation("event, typed", instructions: 18_700, allocations: 7) {
        { (try? Event(body: Delivery.body))?.body.count ?? 0 }
      },
      Operation("delivery: verified and outlined", instructions: 37_700, allocations: 2) {
        let verifier = try SignatureVerifier(secrets: [try Secret(Delivery.secret)])
        return {
          let delivery = SignedDelivery(
            signature: Delivery.signature.span, body: Delivery.body.span, verifier: verifier)
          if case .genuine(let outline) = delivery { return outline.eventName.range.count }
          return 0
        }
      },
      Operation("answer, encoded", instructions: 1200, allocations: 0) {
        let response = Response(.ok, body: #"{"status":"accepted"}"#)
        let date = HTTPDate.field(secondsSince1970: 1_790_845_200)
        var output: [UInt8] = []
        return {
          output.removeAll(keepingCapacity: true)
          response.encode(into: &output, date: date, connection: nil)
          return output.count
        }
      },
    ]
  }

  /// Reads one request that comes in these pieces.
  private static func request(_ pieces: [[UInt8]]) -> () -> Int {
    var reader = RequestReader(limits: MessageLimits())
    var head = RequestHead()
    return {
      var bodyBytes = 0
      for piece in pieces {
        var offset = 0
        while offset < piece.count {
          guard let step = try? reader.next(piece.span.extracting(offset..<piece.count), head: &head) else { return 0 }
          offset += step.consumed
          if case .request(let body, _) = step.event {
            bodyBytes = body.count
            reader.finish()
          }
        }
      }
      return bodyBytes
    }
  }
}
