internal import Dispatch
internal import HTTPMessage
internal import RevocationStore
internal import Synchronization

/// Ready means: a commit reached the disk just now, and the handlers' lanes run. Asked on the writer's own queue, so that a stuck writer shows.
final class Readiness: Sendable {
  typealias Answer = @Sendable (Response) -> Void

  private struct State {
    /// Numbers the probes, so that a probe and its alarm end their own and no later one.
    var round = 0
    /// Who waits for the probe that is under way. Bounded by the private listener's connections.
    var waiting: [Answer] = []
  }

  /// Whoever asks more patiently than this is told that the store does not answer.
  private static let patience = DispatchTimeInterval.seconds(2)

  private let service: Service
  private let lanesRun: @Sendable () -> Bool
  private let complaint: @Sendable () -> String?
  private let state = Mutex(State())

  /// - Parameter complaint: why something else than the store and the lanes is not ready; `nil`: it is.
  init(
    _ service: Service, complaint: @escaping @Sendable () -> String? = { nil },
    lanesRun: @escaping @Sendable () -> Bool
  ) {
    self.complaint = complaint
    self.service = service
    self.lanesRun = lanesRun
  }

  /// Many may ask at once; they share one probe.
  func probe(_ answer: @escaping Answer) {
    if service.isDraining.load(ordering: .relaxed) { return answer(Self.unready("draining")) }
    if let complaint = complaint() { return answer(Self.unready(complaint)) }
    if !lanesRun() { return answer(Self.unready("a handler's lane has ended")) }
    let begun: Int? = state.withLock { state in
      state.waiting.append(answer)
      guard state.waiting.count == 1 else { return nil }
      state.round += 1
      return state.round
    }
    guard let round = begun else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { [self] in
      finish(round, Self.unready("the store does not answer"))
    }
    service.inbox.probe { [self] result in
      switch result {
      case .success:
        // Where no delivery comes, this is the only commit.
        service.commits.worked()
        finish(round, Response(.ok, body: #"{"ready":true}"#))
      case .failure(let error): finish(round, Self.unready(error.description))
      }
    }
  }

  private func finish(_ round: Int, _ response: Response) {
    let answers = state.withLock { state -> [Answer] in
      guard state.round == round else { return [] }
      defer { state.waiting = [] }
      return state.waiting
    }
    for answer in answers { answer(response) }
  }

  private static func unready(_ reason: String) -> Response {
    var body: [UInt8] = []
    body.append(contentsOf: #"{"ready":false,"reason":"#)
    JSONText.append(reason, to: &body)
    body.append(UInt8(ascii: "}"))
    return Response(.serviceUnavailable, fields: [RefusalReason.unfit.field], body: body)
  }
}
