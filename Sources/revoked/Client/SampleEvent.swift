internal import DynamicEvents
internal import Foundation

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
