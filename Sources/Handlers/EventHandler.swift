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

/// A handler under its name.
public struct HandlerRegistration: Sendable {
  /// Names the handler's place in the store, its metrics and its dead letters. Keep it: under another name the handler
  /// starts anew, with the events that come from then on.
  public let name: String
  public let events: [EventPattern]
  /// Of one attempt. Then its task is cancelled, and the attempt has failed once it returns; until it does, it keeps
  /// its place among the concurrent ones, so that an event is never with a handler twice at the same time.
  public let timeout: Duration
  /// Attempts at the same time. With one, events come in the order of arrival, but for retries; with more, in no order.
  public let concurrency: Int
  /// Attempts per event before it becomes a dead letter.
  public let maxAttempts: Int
  public let handler: any EventHandler
  let suspends: Bool
  /// nil: it gets its events one by one.
  let batchHandler: (any BatchHandler)?
  /// Its attempts need not be noted for the next start. After a kill each of them would be made alone.
  let endsNoProcess: Bool

  public init(
    _ name: String, events: [EventPattern] = EventPattern.sessionRevocations, timeout: Duration = .seconds(30),
    concurrency: Int = 1, maxAttempts: Int = 20, handler: any EventHandler
  ) {
    self.name = name
    self.events = events
    self.timeout = max(timeout, .milliseconds(1))
    // Each may need a thread, if the handler blocks.
    self.concurrency = min(max(concurrency, 1), 256)
    self.maxAttempts = max(maxAttempts, 1)
    self.handler = handler
    suspends = (handler as? any SuspendingHandler)?.suspends ?? false
    batchHandler = suspends ? handler as? any BatchHandler : nil
    endsNoProcess = handler is LoggingHandler
  }

  package func wants(_ eventName: String) -> Bool {
    events.contains { $0.matches(eventName) }
  }
}

/// Which events a handler wants: an exact name, or a name that ends in `*` and stands for all that begin so
/// (`user.session.*`, `*`).
public struct EventPattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let prefix: String?

  public init(_ text: String) {
    description = text
    prefix = text.hasSuffix("*") ? String(text.dropLast()) : nil
  }

  public func matches(_ eventName: String) -> Bool {
    if let prefix { eventName.hasPrefix(prefix) } else { eventName == description }
  }

  /// The events that revoke a session: what a handler gets unless it asks for others.
  public static let sessionRevocations = [
    EventPattern("user.session.revoked"), EventPattern("admin.user.session.revoked"),
    EventPattern("operator.session.revoked"),
  ]
}

extension Event {
  /// The event's id as others are told it: what fits into a header and a variable, the same in every attempt. An id
  /// that does not fit, or is missing, gives the hexadecimal digits of the key that the event is stored under.
  var deliveryID: String {
    get throws {
      if let id = envelope.eventId, id.isPlain { return id }
      return try keyDigits
    }
  }

  /// The same for `webhook-id`: Standard Webhooks joins id, time and body with dots for the signature, so an id must
  /// not have one.
  var webhookID: String {
    get throws {
      if let id = envelope.eventId, id.isPlain, !id.contains(".") { return id }
      return try keyDigits
    }
  }

  private var keyDigits: String {
    get throws {
      let key =
        try envelope.eventId.flatMap { try EventKey(eventId: Array($0.utf8).span) } ?? EventKey(ofBody: body.span)
      return key.bytes.map { byte in
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
      }.joined()
    }
  }
}

extension String {
  /// 1 to 256 printable ASCII characters without a space.
  var isPlain: Bool {
    (1...256).contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
