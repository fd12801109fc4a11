internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import Storage

/// `POST /v1/revocations`: an application or an operator orders what is refused from now on. Nothing takes an order
/// back.
struct Orders {
  private let context: ResponderContext
  private let loop: EventLoop
  /// Without a private token anybody who reaches the listener could log everybody out.
  private let areAllowed: Bool
  /// The only environment whose sessions may be refused; `nil`: any.
  private let environment: UUIDBytes?

  init(_ context: ResponderContext, _ loop: EventLoop, areAllowed: Bool, environment: UUIDBytes?) {
    self.context = context
    self.loop = loop
    self.areAllowed = areAllowed
    self.environment = environment
  }

  /// `nil`: answered after the commit.
  func take(_ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    guard areAllowed else { return Answers.ordersForbidden }
    let event: IncomingEvent
    do throws(Malformed) {
      let order = try Self.order(body)
      if case .cutOff(.environment, let id) = order, let environment, id != environment {
        throw Malformed(detail: "the environment is not the one that is configured, so no session of it is known here")
      }
      guard let made = try? order.event(at: context.now()) else { return Answers.unfit }
      event = made
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    let taken = context.inbox.submit([event]) { [context, loop] result in
      let response: Response
      switch result {
      case .success(let outcomes):
        context.commits.worked()
        let isNew = outcomes.first == .accepted
        context.logger.notice("\(isNew ? "refused by order" : "refused by an earlier order")", metadata: event.subject)
        response = isNew ? Answers.accepted : Answers.duplicate
      case .failure(let error):
        context.commits.failed("the store cannot commit; an order was answered 503", ["error": "\(error)"])
        response = Answers.unfit
      }
      loop.answer([(exchange, context.stamped(response))])
    }
    if taken { return nil }
    context.overflows.failed("the inbox is full; an order was answered 503")
    return Answers.unfit
  }

  /// A fixed sentence; never holds input.
  private struct Malformed: Error {
    let detail: String
  }

  /// One of the members `sessionId`, `userId`, `environmentId`, and nothing else.
  private static func order(_ body: Span<UInt8>) throws(Malformed) -> OperatorOrder {
    let order: OperatorOrder?
    do throws(JSONError) {
      var reader = JSONReader()
      order = try read(&reader, body)
      if order != nil { try reader.finish(body) }
    } catch {
      throw Malformed(detail: "the body is not JSON, \(error)")
    }
    guard let order else {
      throw Malformed(
        detail: "the body is an object with one member: sessionId, userId or environmentId, whose value is a UUID")
    }
    return order
  }

  private static func read(_ reader: inout JSONReader, _ body: Span<UInt8>) throws(JSONError) -> OperatorOrder? {
    guard try reader.enterObject(in: body), let key = try reader.nextKey(in: body) else { return nil }
    let name = key.text(in: body)
    guard let value = try reader.string(in: body), try reader.nextKey(in: body) == nil else { return nil }
    return value.withValue(in: body) { id in
      switch name {
      case "sessionId": SessionID(id).map { .revoke($0) }
      case "userId": UUIDBytes(uuid: id).map { .cutOff(.user, $0) }
      case "environmentId": UUIDBytes(uuid: id).map { .cutOff(.environment, $0) }
      default: nil
      }
    }
  }
}

extension IncomingEvent {
  /// Whom an order is about.
  fileprivate var subject: Logger.Metadata {
    switch kind {
    case .sessionRevoked(let revoked): ["sessionId": "\(revoked.session)", "source": "\(source.rawValue)"]
    case .cutOff(let cutOff):
      [
        "\(cutOff.kind.memberName)": "\(cutOff.id.uuidText)", "before": "\(cutOff.before)",
        "source": "\(source.rawValue)",
      ]
    case .other, .undecodable: [:]
    }
  }
}
