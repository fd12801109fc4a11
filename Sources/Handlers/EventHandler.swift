public import DynamicEvents

/// What a receiver passes events to. One method; everything else (the queue, retries, dead letters) is the receiver's.
///
/// Returning means done: the event is not offered to this handler again, except when the process dies before that is on
/// disk. Delivery is at least once, so handle an event as if it might come twice. Throwing means not done: the event is
/// offered again later, with growing pauses, and becomes a dead letter after the last attempt. After 64 failures in a
/// row the handler is taken to be down, and gets one event in ten milliseconds until it takes one.
public protocol EventHandler: Sendable {
  func handle(_ event: Event) async throws
}

/// A handler that suspends while it waits, and never blocks its thread: its attempts share the lane's. They begin in
/// the order of their events, each as far as its first suspension.
package protocol SuspendingHandler: EventHandler {
  /// Whether this one really does, whoever made what it calls.
  var suspends: Bool { get }
}

extension SuspendingHandler {
  package var suspends: Bool { true }
}

/// A suspending handler that takes several events in one call, for which a task an event would be most of the work.
/// There is one call at a time, with as many events as may be under way. Its attempts are not noted for the next start:
/// it must not be one that may end the process.
package protocol BatchHandler: SuspendingHandler {
  /// As `handle` of each of them, in this order. What it throws, each of them failed for.
  func handle(_ events: [Event]) async throws
}

/// Thrown by a handler for an event that no retry can help: it becomes a dead letter at once.
public struct Undeliverable: Error, Sendable, CustomStringConvertible {
  /// One line for the person who looks at the dead letter. No secrets: it is stored and shown.
  public let description: String

  public init(_ reason: String) {
    description = reason
  }
}

/// Thrown by a handler that knows when another attempt makes sense: not before `pause` has passed, an hour at most.
public struct RetryLater: Error, Sendable, CustomStringConvertible {
  /// One line for the person who looks at the failure. No secrets: it is stored and shown.
  public let description: String
  public let pause: Duration

  public init(_ reason: String, after pause: Duration) {
    description = reason
    self.pause = pause
  }
}

/// How a handler took an event.
enum Verdict: Sendable {
  case delivered
  case undeliverable(String)
  /// The reason; nil: that it was cancelled. `pause`: what the handler asked for before the next attempt.
  case failed(String?, pause: Duration?)

  init(of handler: any EventHandler, body: [UInt8]) async {
    do {
      try await handler.handle(Event(body: body))
      self = .delivered
    } catch {
      self.init(error)
    }
  }

  /// How it took events in one call, in their order.
  static func all(of handler: any BatchHandler, bodies: [[UInt8]]) async -> [Verdict] {
    var events: [Event] = []
    var verdicts = bodies.map { body in
      do {
        events.append(try Event(body: body))
        return Verdict.delivered
      } catch {
        return Verdict(error)
      }
    }
    do {
      if !events.isEmpty { try await handler.handle(events) }
    } catch {
      for index in verdicts.indices {
        if case .delivered = verdicts[index] { verdicts[index] = Verdict(error) }
      }
    }
    return verdicts
  }

  private init(_ error: any Error) {
    switch error {
    case let error as Undeliverable: self = .undeliverable(error.description)
    // It could be decoded when it came, by another release.
    case let error as UndecodableReason: self = .undeliverable(error.description)
    case let error as RetryLater: self = .failed(error.description, pause: error.pause)
    case is CancellationError: self = .failed(nil, pause: nil)
    default: self = .failed("\(error)", pause: nil)
    }
  }
}
