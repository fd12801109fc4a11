import TestSupport
import Testing

@testable import DynamicEvents

@Suite("Events as handlers get them", .timeLimit(.minutes(2)))
struct EventTests {
  @Test func `A user's revocation is typed in full`() throws {
    let event = try Event(Vector.sessionRevoked.text)
    #expect(
      event.envelope
        == Envelope(
          eventId: "22222222-2222-4222-8222-222222222222", messageId: "11111111-1111-4111-8111-111111111111",
          webhookId: "33333333-3333-4333-8333-333333333333", eventName: "user.session.revoked",
          environmentId: "55555555-5555-4555-8555-555555555555", environmentName: "live",
          timestamp: Timestamp("2026-10-01T09:00:00.348Z"), userId: "44444444-4444-4444-8444-444444444444",
          externalUserId: nil, redelivery: false))
    let session = Session(
      id: try #require(SessionID("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")),
      createdAt: Timestamp("2026-09-30T08:14:03.117Z"), ipAddress: "203.0.113.7",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64)", revokedAt: Timestamp("2026-10-01T09:00:00.301Z"))
    #expect(event.payload == .sessionRevoked(session, by: .user))
    #expect(event.body == Vector.sessionRevoked.body)
  }

  @Test func `An admin's revocation has nulls, and is a redelivery`() throws {
    let event = try Event(Vector.adminSessionRevoked.text)
    #expect(event.envelope.redelivery)
    #expect(event.envelope.userId == nil)
    let session = Session(
      id: try #require(SessionID("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10")),
      createdAt: Timestamp("2026-09-30T08:14:03.117Z"), ipAddress: nil, userAgent: nil, revokedAt: nil)
    #expect(event.payload == .sessionRevoked(session, by: .admin))
  }

  @Test func `A ping is one, and what is new is unknown with its bytes`() throws {
    #expect(try Event(Vector.ping.text).payload == .ping)
    let text = #"{"eventName":"wallet.linked","data":{"chain":"eip155"}}"#
    let event = try Event(text)
    #expect(event.payload == .unknown)
    #expect(event.envelope.eventName == "wallet.linked")
    #expect(event.body == Array(text.utf8))
  }

  static let texts: [(String, @Sendable (Envelope) -> String?)] = [
    ("eventId", { $0.eventId }), ("messageId", { $0.messageId }), ("webhookId", { $0.webhookId }),
    ("environmentId", { $0.environmentId }), ("environmentName", { $0.environmentName }), ("userId", { $0.userId }),
    ("externalUserId", { $0.externalUserId }), ("timestamp", { $0.timestamp?.description }),
  ]

  @Test(arguments: texts)
  func `Null, absent and of another type are one for every text of the envelope`(
    field: String, value: @Sendable (Envelope) -> String?
  ) throws {
    #expect(try value(Event(#"{"eventName":"a"}"#).envelope) == nil)
    for other in ["null", "7", "false", "[\"a\"]", "{\"a\":\"b\"}"] {
      #expect(try value(Event(#"{"\#(field)":\#(other),"eventName":"a"}"#).envelope) == nil)
    }
    let present = field == "timestamp" ? "2026-10-01T09:00:00.000Z" : "é/x"
    #expect(try value(Event(#"{"\#(field)":"\#(present)","eventName":"a"}"#).envelope) == present)
    let escaped = present.unicodeScalars.map { "\\u00" + String($0.value, radix: 16) }.joined()
    #expect(try value(Event(#"{"eventName":"a","\#(field)":"\#(escaped)"}"#).envelope) == present)
  }

  @Test func `A time that cannot be read is absent, and the event is not lost`() throws {
    let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
    let data = #"{"id":"\#(id)","createdAt":"yesterday","revokedAt":1790845200}"#
    let event = try Event(#"{"eventName":"user.session.revoked","timestamp":"","data":\#(data)}"#)
    #expect(event.envelope.timestamp == nil)
    #expect(event.session?.id.description == id)
    #expect(event.session?.createdAt == nil && event.session?.revokedAt == nil)
  }

  @Test(arguments: [
    ("true", true), ("false", false), ("null", false), ("\"true\"", false), ("1", false),
    (
      "[true]",
      false
    ),
  ])
  func `Redelivery is true only when it says so`(value: String, isRedelivery: Bool) throws {
    #expect(try Event(#"{"eventName":"a","redelivery":\#(value)}"#).envelope.redelivery == isRedelivery)
  }

  @Test(arguments: ["ipAddress", "userAgent"])
  func `The session's texts are optional each on its own`(field: String) throws {
    func session(_ member: String) throws -> Session? {
      let data = #"{\#(member)"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}"#
      return try Event(#"{"data":\#(data),"eventName":"user.session.revoked"}"#).session
    }
    for member in ["", #""\#(field)":null,"#, #""\#(field)":{},"#, #""\#(field)":4,"#] {
      let session = try #require(try session(member))
      #expect(session.ipAddress == nil && session.userAgent == nil)
    }
    let session = try #require(try session(#""\#(field)":"2001:db8::1","#))
    #expect([session.ipAddress, session.userAgent].compactMap { $0 } == ["2001:db8::1"])
  }
}
