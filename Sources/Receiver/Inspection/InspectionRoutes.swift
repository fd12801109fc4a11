internal import Bytes
internal import HTTPMessage
internal import HTTPServer

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
