internal import Dispatch
internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import Handlers
internal import Storage
internal import Synchronization

/// Makes the answer to `GET /v1/status`, away from the loops: it asks the store and the disk.
final class StatusReport: Sendable {
  private let context: ResponderContext
  private let readiness: Readiness
  private let queue = DispatchQueue(label: "revoked.status")

  init(_ context: ResponderContext, _ readiness: Readiness) {
    self.context = context
    self.readiness = readiness
  }

  func render(_ answer: @escaping @Sendable (Response) -> Void) {
    readiness.ask { [self] reasons in
      queue.async {
        guard let body = try? JSONEncoder.ofAnswers.encode(self.status(reasons)) else { return answer(Answers.unfit) }
        answer(Response(.ok, body: Array(body)))
      }
    }
  }

  private func status(_ reasons: [String]) -> ServiceStatus {
    let store = context.store
    let sizes = store.sizes
    // What the store cannot say is left out; why it cannot stands among the reasons.
    let tally = try? store.tally()
    return ServiceStatus(
      version: Receiver.version, ready: reasons.isEmpty, reasons: reasons,
      lastSigned: context.lastSigned.map { "\($0)" }, sessions: tally?.revocations, events: tally?.events,
      handlers: try? handlers(),
      store: ServiceStatus.Store(
        path: store.location, createdAt: "\(store.createdAt)", bytes: sizes.map { $0.database + $0.log },
        freeBytes: sizes?.free),
      uncleanStarts: context.dispatcher.uncleanStarts, webhook: context.dynamic?.status)
  }

  private func handlers() throws(StoreError) -> [ServiceStatus.Handler] {
    let backlogs = try context.store.backlogs()
    let oldest = try context.store.oldestPending()
    let now = context.now()
    return context.dispatcher.counters.map(\.name).sorted().map { name in
      ServiceStatus.Handler(
        handler: name, pending: backlogs[name]?.pending ?? 0, dead: backlogs[name]?.dead ?? 0,
        oldestPendingSeconds: oldest[name].map { now.seconds(since: $0) })
    }
  }
}
