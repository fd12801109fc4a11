internal import DynamicEvents
internal import Foundation
internal import Outgoing
internal import Signature

/// Posts signed events to a receiver.
struct Sender: Sendable {
  struct Answer: Sendable {
    /// nil: no answer came.
    var status: Int?
    /// The answer's body, or why there was none, as a terminal may show it.
    var text: String
    var duration: Duration
  }

  private var request: OutgoingRequest

  init(_ request: OutgoingRequest) {
    self.request = request
    // Dynamic gives up after about as long.
    self.request.limits.time = .seconds(15)
  }

  func send(_ body: [UInt8], signature: String) async -> Answer {
    var request = request
    request.body = body
    request.fields = [
      ("Content-Type", "application/json"), (SignatureHeader.name.description, signature),
      ("User-Agent", "revoked send"),
    ]
    let start = ContinuousClock.now
    do throws(OutgoingError) {
      let response = try await HTTPClient.shared.response(to: request)
      var text = String(decoding: response.body.prefix(2000), as: UTF8.self).visibleLine
      if let cut = response.cut { text += " [cut: \(cut)]" }
      return Answer(status: response.status, text: text, duration: start.duration(to: .now))
    } catch {
      return Answer(status: nil, text: error.description, duration: start.duration(to: .now))
    }
  }
}

extension String {
  /// Without the white space around it, and on one line.
  var visibleLine: String { trimmingCharacters(in: .whitespacesAndNewlines).visible() }
}

/// How a series of posts went.
struct SendSummary {
  private(set) var count = 0
  private(set) var acknowledged = 0
  private var outcomes: [String: Int] = [:]
  /// A receiver that answers something else each time must not fill the memory.
  private static let mostOutcomes = 100
  private var milliseconds: [Double] = []

  mutating func add(_ answer: Sender.Answer) {
    count += 1
    if answer.status == 200 { acknowledged += 1 }
    milliseconds.append(answer.duration / .milliseconds(1))
    var outcome = answer.status.map { "\($0) \(answer.text)" } ?? answer.text
    if outcomes[outcome] == nil, outcomes.count >= Self.mostOutcomes {
      outcome = answer.status.map { "\($0) with another body" } ?? "another failure"
    }
    outcomes[outcome, default: 0] += 1
  }

  var isReachable: Bool { count == 0 || outcomes.keys.contains { $0.first?.isNumber == true } }

  func text(took duration: Duration) -> String {
    let seconds = max(duration / .seconds(1), 0.001)
    let sorted = milliseconds.sorted()
    func percentile(_ part: Double) -> String {
      guard let value = sorted.dropFirst(min(Int(Double(sorted.count) * part), sorted.count - 1)).first else {
        return "-"
      }
      return String(format: "%.1f ms", value)
    }
    var lines = [String(format: "%d sent in %.1f s, %.0f a second", count, seconds, Double(count) / seconds)]
    for (outcome, count) in outcomes.sorted(by: { $0.value > $1.value }).prefix(10) {
      lines.append("\(count) × \(outcome)")
    }
    lines.append(
      "latency p50 \(percentile(0.5)), p90 \(percentile(0.9)), p99 \(percentile(0.99)), max \(percentile(1))")
    return lines.joined(separator: "\n")
  }
}

/// An event as Dynamic would send it, for trying a receiver. Compact, as `JSON.stringify` writes it.
struct SampleEvent {
  let name: String
  /// The revoked session; nil for other events.
  let session: String?
  let body: [UInt8]

  static let names = [EventNames.sessionRevoked, EventNames.adminSessionRevoked, EventNames.ping]

  init(_ name: String, session: String?, now: Date = Date()) {
    let id = { UUID().uuidString.lowercased() }
    let time = { (secondsAgo: Double) in Timestamp(now.addingTimeInterval(-secondsAgo)).description }
    self.name = name
    let data: String
    if name == EventNames.ping {
      self.session = nil
      let events = #"["user.session.revoked","admin.user.session.revoked"]"#
      data =
        #"{"webhookId":"\#(EventNames.testWebhookID)","message":"ping","events":\#(events),"#
        + #""url":"https://hooks.example.com/webhooks/dynamic","isEnabled":true}"#
    } else {
      let session = session ?? id()
      self.session = session
      let client = #""ipAddress":"203.0.113.7","userAgent":"revoked send""#
      data = #"{"id":"\#(session)","createdAt":"\#(time(3600))",\#(client),"revokedAt":"\#(time(0.05))"}"#
    }
    body = Array(
      (#"{"messageId":"\#(id())","eventId":"\#(id())","eventName":"\#(name)","timestamp":"\#(time(0))","#
        + #""webhookId":"\#(EventNames.testWebhookID)","userId":"\#(id())","environmentId":"\#(Self.environment)","#
        + #""environmentName":"sandbox","data":\#(data)}"#).utf8)
  }

  /// A body as it is.
  init(body: [UInt8]) {
    name = "body"
    session = nil
    self.body = body
  }

  private static let environment = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"
}
