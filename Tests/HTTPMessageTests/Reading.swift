import HTTPMessage

/// What a server makes of a stream of bytes, as text: one line a request, and the refusal that ends it.
enum Reading {
  /// Feeds the pieces one after another, as a connection would receive them.
  static func outcomes(_ pieces: [ArraySlice<UInt8>], limits: MessageLimits = MessageLimits()) -> [String] {
    var reader = RequestReader(limits: limits)
    var head = RequestHead()
    var outcomes: [String] = []
    for piece in pieces {
      let input = Array(piece)
      var offset = 0
      while offset < input.count {
        do throws(RequestError) {
          let rest = input.span.extracting(offset..<input.count)
          let (consumed, event) = try reader.next(rest, head: &head)
          switch event {
          case .needsMore, .head: break
          case .request(let body, let inStorage):
            let storage = reader.storage
            outcomes.append(inStorage ? describe(head, storage.span, body) : describe(head, rest, body))
            reader.finish()
          }
          offset += consumed
        } catch {
          return outcomes + ["\(error.status.code)"]
        }
      }
    }
    return reader.isEmpty ? outcomes : outcomes + ["incomplete"]
  }

  private static func describe(_ head: RequestHead, _ bytes: Span<UInt8>, _ body: Range<Int>) -> String {
    var text = "\(head.method) \(string(bytes, head.path.range)) 1.\(head.minorVersion)"
    text += head.keepsAlive ? " keep" : " close"
    if head.expectsContinue { text += " expect" }
    return body.isEmpty ? text : text + " [" + string(bytes, body) + "]"
  }

  private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: range.map { bytes[$0] }, as: UTF8.self)
  }
}
