internal import DynamicEvents

/// How a handler took an event.
enum Verdict: Sendable {
  case delivered
  case undeliverable(String)
  /// `pause`: what the handler asked for before the next attempt.
  case failed(String, pause: Duration?)

  init(of handler: any EventHandler, body: [UInt8]) async {
    do {
      try await handler.handle(Event(body: body))
      self = .delivered
    } catch let error as Undeliverable {
      self = .undeliverable(error.description)
    } catch let error as UndecodableReason {
      // It could be decoded when it came, by another release.
      self = .undeliverable(error.description)
    } catch let error as RetryLater {
      self = .failed(error.description, pause: error.pause)
    } catch {
      self = .failed("\(error)", pause: nil)
    }
  }
}
