internal import Bytes
internal import HTTPMessage
internal import Storage
internal import Synchronization

/// Ready means: a commit reached the disk just now, the handlers' lanes run, and the server is not stopping.
final class Readiness: Sendable {
  private let context: ResponderContext
  private let lanesRun: @Sendable () -> Bool
  private let complaint: @Sendable () -> String?

  /// - Parameter complaint: why something else than the store and the lanes is not ready; `nil`: it is.
  init(
    _ context: ResponderContext, complaint: @escaping @Sendable () -> String? = { nil },
    lanesRun: @escaping @Sendable () -> Bool
  ) {
    self.complaint = complaint
    self.context = context
    self.lanesRun = lanesRun
  }

  /// The answer of `/readyz`, with the first reason.
  func probe(_ answer: @escaping @Sendable (Response) -> Void) {
    ask { reasons in
      answer(reasons.first.map(Self.unready) ?? Response(.ok, body: #"{"ready":true}"#))
    }
  }

  /// Calls back with why the server is not ready, a sentence each: none when it is. Many may ask at once; they share
  /// one commit.
  func ask(_ answer: @escaping @Sendable ([String]) -> Void) {
    // Its store is about to be closed: no probe.
    if context.isDraining.load(ordering: .relaxed) { return answer(["draining"]) }
    var reasons: [String] = []
    if let complaint = complaint() { reasons.append(complaint) }
    if !lanesRun() { reasons.append("a handler's lane has ended") }
    context.probe.ask(context.inbox) { [context, reasons] result in
      switch result {
      case .success?:
        // Where no delivery comes, this is the only commit.
        context.commits.worked()
        answer(reasons)
      case .failure(let error)?: answer(reasons + [error.description])
      case nil: answer(reasons + ["the store does not answer"])
      }
    }
  }

  private static func unready(_ reason: String) -> Response {
    var body: [UInt8] = []
    body.append(contentsOf: #"{"ready":false,"reason":"#)
    JSONText.append(reason, to: &body)
    body.append(UInt8(ascii: "}"))
    return Response(.serviceUnavailable, fields: [RefusalReason.unfit.field], body: body)
  }
}
