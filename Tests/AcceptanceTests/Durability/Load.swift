import Foundation
import HTTPServer
import Synchronization
import TestSupport

/// Posts signed session events over kept connections, one in flight on each, until it is stopped or the server is gone;
/// and knows what became of each.
final class Load: Sendable {
  struct Sent: Hashable, Sendable {
    var eventID = UUID().uuidString.lowercased()
    var session = UUID().uuidString.lowercased()
  }

  struct Record: Sendable {
    /// Answered 200.
    var acknowledged: [Sent] = []
    /// Answered 503, with `Retry-After`.
    var refused: [Sent] = []
    /// Answered by the end of the connection, or in part: nobody knows.
    var unanswered: [Sent] = []
    /// Answered in any other way, which is wrong.
    var wrong: [String] = []
  }

  private struct State {
    var record = Record()
    var isStopped = false
    /// Called once, as soon as the record has so many answers.
    var alarm: (answers: Int, ring: @Sendable () -> Void)?
  }

  private let secret: String
  private let state = Mutex(State())
  private let threads = DispatchGroup()

  /// - Parameters:
  ///   - secret: what each is signed with.
  ///   - alarm: called once there are so many answers.
  init(
    on address: ListenAddress, connections: Int, secret: String = Executable.secret,
    alarm: (answers: Int, ring: @Sendable () -> Void)? = nil
  ) throws {
    self.secret = secret
    state.withLock { $0.alarm = alarm }
    // All of them first: the alarm may end the server.
    for client in try (0..<connections).map({ _ in try Client(address) }) {
      // Only its thread uses it.
      nonisolated(unsafe) let client = client
      threads.enter()
      Thread.detachNewThread { [self] in
        unsafe run(client)
        threads.leave()
      }
    }
  }

  var record: Record { state.withLock { $0.record } }

  /// Returns once every connection has ended, with what became of everything.
  func stop() -> Record {
    state.withLock { $0.isStopped = true }
    return wait()
  }

  /// The same without telling it to stop: for a server that will be gone.
  func wait() -> Record {
    threads.wait()
    return record
  }

  private func run(_ client: Client) {
    while !state.withLock({ $0.isStopped }) {
      let sent = Sent()
      guard let request = try? Self.request(sent, secret: secret) else {
        return note { $0.wrong.append("cannot sign") }
      }
      client.send(request)
      let text = client.read(until: "}")
      guard let answer = Answer(text), answer.body.hasSuffix("}") || answer.body.hasSuffix("}\n") else {
        return note { $0.unanswered.append(sent) }
      }
      switch answer.status {
      case 200 where answer.body == #"{"status":"accepted"}"#: note { $0.acknowledged.append(sent) }
      case 503 where answer.field("Retry-After") != nil: note { $0.refused.append(sent) }
      default: return note { $0.wrong.append(text) }
      }
    }
  }

  private func note(_ change: (inout Record) -> Void) {
    let ring = state.withLock { state -> (@Sendable () -> Void)? in
      change(&state.record)
      guard let alarm = state.alarm, state.record.acknowledged.count + state.record.refused.count >= alarm.answers
      else { return nil }
      state.alarm = nil
      return alarm.ring
    }
    ring?()
  }

  static func request(_ sent: Sent, secret: String = Executable.secret) throws -> String {
    let body = DeliveryTests.event(session: sent.session, eventId: sent.eventID)
    return "POST /webhooks/dynamic HTTP/1.1\r\nHost: hooks.example.com\r\n"
      + "x-dynamic-signature-256: \(try DeliveryTests.sign(body, with: secret))\r\nContent-Length: "
      + "\(body.utf8.count)\r\n\r\n\(body)"
  }
}
