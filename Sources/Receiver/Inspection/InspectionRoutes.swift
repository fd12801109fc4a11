internal import Bytes
internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import HTTPServer
internal import Storage

/// The routes that show the server and what it stores, on one loop. All are answered later, from another queue.
struct InspectionRoutes {
  private let context: ResponderContext
  private let loop: EventLoop
  private let pages: PrivatePages
  /// Without a private token anybody who reaches the listener could have events forgotten.
  private let areOrdersAllowed: Bool

  init(_ context: ResponderContext, _ loop: EventLoop, _ pages: PrivatePages, areOrdersAllowed: Bool) {
    self.context = context
    self.loop = loop
    self.pages = pages
    self.areOrdersAllowed = areOrdersAllowed
  }

  /// `nil`: it is another's route.
  func reply(
    to path: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, _ exchange: Exchange
  ) -> Reply? {
    let refusal: Response?
    do throws(InspectionQuery.Malformed) {
      guard let begun = try begin(path, head, bytes, body, exchange) else { return nil }
      refusal = begun
    } catch {
      refusal = Response(problem: .badRequest, detail: error.detail)
    }
    return refusal.map { .now(context.stamped($0)) } ?? .later()
  }

  /// Returns `nil` for another's route, `.some(nil)` when the answer comes later, and else why there is none.
  private func begin(
    _ path: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
    _ exchange: Exchange
  ) throws(InspectionQuery.Malformed) -> Response?? {
    let isGet = head.method == .get || head.method == .head
    let query = bytes.extracting(head.query(in: bytes))
    let takesGzip = Preferences("accept-encoding", head, bytes).takes("gzip")
    let answer: @Sendable (Response) -> Void = { [loop, context] response in
      loop.answer([(exchange, context.stamped(response.compressed(if: takesGzip)))])
    }
    if path.equals("/v1/status") {
      guard isGet else { return Answers.getOnly }
      pages.status.render(answer)
    } else if path.equals("/v1/history") {
      guard isGet else { return Answers.getOnly }
      pages.history.render(answer)
    } else if path.equals("/v1/events") {
      guard isGet else { return Answers.getOnly }
      pages.inspection.events(try InspectionQuery(query, takesSession: true), answer)
    } else if path.equals("/v1/dead-letters") {
      guard isGet else { return Answers.getOnly }
      pages.inspection.deadLetters(try InspectionQuery(query, takesSession: false), answer)
    } else if path.hasPrefix("/v1/events/") {
      guard isGet else { return Answers.getOnly }
      let number = String(decoding: path.extracting(11..<path.count).bytesCopied, as: UTF8.self).decimalNumber
      guard let number else { return Answers.notFound }
      pages.inspection.event(number, answer)
    } else if path.equals("/v1/dead-letters/replay") || path.equals("/v1/dead-letters/discard") {
      guard head.method == .post else { return Answers.postOnly }
      guard areOrdersAllowed else { return Answers.ordersForbidden }
      let isReplay = path.equals("/v1/dead-letters/replay")
      pages.inspection.change(try DeadLetterIDs(body).ids, isReplay ? .replay : .discard, answer)
    } else {
      return nil
    }
    return .some(nil)
  }
}

/// What a caller of `/v1/events` or `/v1/dead-letters` asks for. Strict: a parameter that was misspelt would silently
/// be answered with something else.
struct InspectionQuery: Equatable, Sendable {
  /// More are asked for page by page.
  static let longest = 1000

  var limit = 50
  /// Of the next page: the last one's `seq` or `id`.
  var before: String?
  var session: SessionID?

  /// - Parameter takesSession: whether there is a parameter `session`.
  init(_ query: Span<UInt8>, takesSession: Bool) throws(Malformed) {
    var isGiven: Set<String> = []
    for pair in String(decoding: query.bytesCopied, as: UTF8.self).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let value = parts[1].removingPercentEncoding, isGiven.insert(parts[0]).inserted else {
        throw Malformed(takesSession)
      }
      switch parts[0] {
      case "limit":
        guard let number = value.decimalNumber, 1...Self.longest ~= number else {
          throw Malformed(detail: "limit is a whole number from 1 to \(Self.longest)")
        }
        limit = number
      case "before": before = value
      case "session" where takesSession:
        guard let id = SessionID(value) else {
          throw Malformed(detail: "session is a session id: a UUID of 36 characters")
        }
        session = id
      default: throw Malformed(takesSession)
      }
    }
  }

  struct Malformed: Error {
    /// A fixed sentence; never holds input.
    let detail: String
  }
}

extension InspectionQuery.Malformed {
  fileprivate init(_ takesSession: Bool) {
    self.init(detail: "the query takes limit\(takesSession ? ", before and session" : " and before"), each once")
  }
}

/// The body of `POST /v1/dead-letters/replay` and `/discard`: `{"ids":["17/audit", …]}` and nothing else.
struct DeadLetterIDs {
  /// Some hundred milliseconds of the store's writer, in parts.
  static let most = 1000

  private(set) var ids: [DeadLetterID] = []

  init(_ body: Span<UInt8>) throws(InspectionQuery.Malformed) {
    let problem: String?
    do throws(JSONError) {
      problem = try read(body)
    } catch {
      throw InspectionQuery.Malformed(detail: "the body is not JSON, \(error)")
    }
    if let problem { throw InspectionQuery.Malformed(detail: problem) }
  }

  /// Returns what is wrong beyond the syntax.
  private mutating func read(_ body: Span<UInt8>) throws(JSONError) -> String? {
    var reader = JSONReader()
    guard try reader.enterObject(in: body), let key = try reader.nextKey(in: body), key.text(in: body) == "ids",
      try reader.enterArray(in: body)
    else { return "the body is an object with the one member ids, an array" }
    while try reader.nextElement(in: body) {
      guard ids.count < Self.most else { return "there are more than \(Self.most) ids" }
      guard let text = try reader.string(in: body), let id = DeadLetterID(text.text(in: body)) else {
        return
          "ids holds what names no dead letter: an event's number and a handler, such as 17/audit, or 17 for all of it"
      }
      ids.append(id)
    }
    guard try reader.nextKey(in: body) == nil else { return "the body has a member other than ids" }
    try reader.finish(body)
    return nil
  }
}

extension String {
  /// One to eighteen digits and nothing else.
  var decimalNumber: Int? {
    (1...18).contains(utf8.count) && utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(self) : nil
  }
}
