internal import Dispatch
internal import HTTPMessage
internal import RevocationStore
internal import Synchronization

/// Ready means: a commit reached the disk just now. Asked through the same writer that events go through, so a stuck writer shows.
final class Readiness: Sendable {
  typealias Answer = @Sendable (Response) -> Void

  /// Whoever asks more patiently than this is told that the store does not answer.
  private static let patience = DispatchTimeInterval.seconds(2)

  private let service: Service
  private let queue = DispatchQueue(label: "revoked.readiness")
  /// Who waits for the probe that is under way. Bounded by the private listener's connections.
  private let waiting = Mutex<[Answer]>([])

  init(_ service: Service) {
    self.service = service
  }

  /// Many may ask at once; they share one probe.
  func probe(_ answer: @escaping Answer) {
    if service.isDraining.load(ordering: .relaxed) { return answer(Self.unready("draining")) }
    let isFirst = waiting.withLock { waiting in
      waiting.append(answer)
      return waiting.count == 1
    }
    guard isFirst else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { [self] in
      finish(Self.unready("the store does not answer"))
    }
    queue.async { [self] in
      do throws(StoreError) {
        try service.store.probeWritable()
        finish(Response(.ok, body: #"{"ready":true}"#))
      } catch {
        finish(Self.unready(error.description))
      }
    }
  }

  /// The probe and its alarm both end here; who comes second finds nobody waiting, or answers a later round early and truly enough.
  private func finish(_ response: Response) {
    let answers = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for answer in answers { answer(response) }
  }

  private static func unready(_ reason: String) -> Response {
    Response(.serviceUnavailable, body: #"{"ready":false,"reason":\#(JSONText.quoted(reason))}"#)
  }
}
