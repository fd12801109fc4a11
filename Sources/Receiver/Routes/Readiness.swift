internal import HTTPMessage
internal import RevocationStore
internal import Synchronization

/// Ready means: a commit reached the disk just now, and the handlers' lanes run.
final class Readiness: Sendable {
  private let service: Service
  private let lanesRun: @Sendable () -> Bool
  private let complaint: @Sendable () -> String?

  /// - Parameter complaint: why something else than the store and the lanes is not ready; `nil`: it is.
  init(
    _ service: Service, complaint: @escaping @Sendable () -> String? = { nil },
    lanesRun: @escaping @Sendable () -> Bool
  ) {
    self.complaint = complaint
    self.service = service
    self.lanesRun = lanesRun
  }

  /// Many may ask at once; they share one commit.
  func probe(_ answer: @escaping @Sendable (Response) -> Void) {
    if service.isDraining.load(ordering: .relaxed) { return answer(Self.unready("draining")) }
    if let complaint = complaint() { return answer(Self.unready(complaint)) }
    if !lanesRun() { return answer(Self.unready("a handler's lane has ended")) }
    service.probe.ask(service.inbox) { [service] result in
      switch result {
      case .success?:
        // Where no delivery comes, this is the only commit.
        service.commits.worked()
        answer(Response(.ok, body: #"{"ready":true}"#))
      case .failure(let error)?: answer(Self.unready(error.description))
      case nil: answer(Self.unready("the store does not answer"))
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
