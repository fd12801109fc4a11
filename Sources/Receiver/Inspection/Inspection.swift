internal import Dispatch
internal import Foundation
internal import HTTPMessage
internal import Handlers
internal import Logging
internal import Storage

/// The answers that show what is stored, and those that change dead letters: as the commands do it, on a queue that no
/// look-up waits for. Lists are JSON lines, like those of the commands.
final class Inspection: Sendable {
  /// Rows that are read at a time, each with a body.
  private static let page = 100
  /// Dead letters in one transaction: some milliseconds of the store's writer.
  private static let chunk = 200

  enum Change: Sendable { case replay, discard }

  private let context: ResponderContext
  private let queue = DispatchQueue(label: "revoked.inspection")

  init(_ context: ResponderContext) {
    self.context = context
  }

  /// `GET /v1/events`, the newest first. Of a session, the event that revoked it.
  func events(_ query: InspectionQuery, _ answer: @escaping @Sendable (Response) -> Void) {
    guard query.before == nil || query.before?.decimalNumber != nil else {
      return answer(Response(problem: .badRequest, detail: "before is the seq of an event"))
    }
    ask(answer) { [self] () throws(StoreError) in
      var last = query.before?.decimalNumber.map { Int64($0) }
      if let session = query.session {
        guard let number = try context.store.event(revoking: session), number < last ?? .max,
          let event = try context.store.event(number)
        else { return Self.response([]) }
        return Self.lines([report(event)])
      }
      var lines: [UInt8] = []
      var left = query.limit
      while left > 0 {
        let events = try context.store.latestEvents(EventFilter(), before: last, limit: min(left, Self.page))
        guard let end = events.last else { break }
        lines += Self.bytes(events.map(report))
        (last, left) = (end.seq, left - events.count)
      }
      return Self.response(lines)
    }
  }

  /// `GET /v1/events/{n}`, with the body.
  func event(_ number: Int, _ answer: @escaping @Sendable (Response) -> Void) {
    ask(answer) { [self] () throws(StoreError) in
      guard let event = try context.store.event(Int64(number)) else { return Answers.notFound }
      return Response(
        .ok, body: Self.bytes([WithBody(report: report(event), body: BodyText(bytes: event.body))]))
    }
  }

  /// `GET /v1/dead-letters`, the newest events' first.
  func deadLetters(_ query: InspectionQuery, _ answer: @escaping @Sendable (Response) -> Void) {
    guard query.before == nil || query.before.flatMap({ DeadLetterID($0) }) != nil else {
      return answer(Response(problem: .badRequest, detail: "before is the id of a dead letter, such as 17/audit"))
    }
    ask(answer) { [self] () throws(StoreError) in
      let letters = try context.store.latestDeadLetters(
        before: query.before.flatMap { DeadLetterID($0) }, limit: query.limit)
      return Self.lines(letters.map(DeadLetterReport.init))
    }
  }

  /// Those that are none are passed over.
  func change(_ ids: [DeadLetterID], _ change: Change, _ answer: @escaping @Sendable (Response) -> Void) {
    ask(answer) { [self] () throws(StoreError) in
      var rest = try letters(of: ids)[...]
      var changed = 0
      while !rest.isEmpty {
        let chunk = Array(rest.prefix(Self.chunk))
        rest = rest.dropFirst(chunk.count)
        switch change {
        case .replay: changed += try context.store.replay(chunk, at: context.now()).count
        case .discard: changed += try context.store.discard(chunk).count
        }
      }
      if changed > 0 {
        context.logger.notice(
          change == .replay ? "dead letters were put back" : "dead letters were discarded",
          metadata: ["count": .stringConvertible(changed), "source": "operator"])
        context.dispatcher.wake()
      }
      return Response(.ok, body: #"{"changed":\#(changed)}"#)
    }
  }

  /// A number alone means all of its event, each dead letter once.
  private func letters(of ids: [DeadLetterID]) throws(StoreError) -> [DeadLetterID] {
    var seen: Set<DeadLetterID> = []
    var letters: [DeadLetterID] = []
    // Every one that the store knows. What they have not given up is passed over; to ask for what they have would read
    // all dead letters for each id.
    let handlers = ids.contains { $0.handler == nil } ? try context.store.backlogs().keys.sorted() : []
    for id in ids {
      let all = id.handler == nil ? [id] + handlers.map { DeadLetterID(event: id.event, handler: $0) } : [id]
      for letter in all where seen.insert(letter).inserted { letters.append(letter) }
    }
    return letters
  }

  private func report(_ event: EventSummary) -> EventReport {
    EventReport(event) { [context] handler in context.dispatcher.wants(event.name, of: handler) }
  }

  private func ask(
    _ answer: @escaping @Sendable (Response) -> Void, _ make: @escaping @Sendable () throws(StoreError) -> Response
  ) {
    queue.async { [context] in
      do throws(StoreError) {
        answer(try make())
      } catch {
        context.reads.failed("the store cannot be read; answered 503", ["error": "\(error)"])
        answer(Answers.unfit)
      }
    }
  }

  private static func lines(_ reports: [some Encodable]) -> Response { response(bytes(reports)) }

  private static func response(_ lines: [UInt8]) -> Response {
    Response(.ok, contentType: "application/x-ndjson", body: lines)
  }

  private static func bytes(_ reports: [some Encodable]) -> [UInt8] {
    let encoder = JSONEncoder.ofAnswers
    // Texts, numbers, lists and objects of them always encode.
    return reports.flatMap { report in ((try? encoder.encode(report)).map(Array.init) ?? []) + [0x0A] }
  }
}
