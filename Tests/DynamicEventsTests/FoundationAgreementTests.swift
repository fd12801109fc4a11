import Foundation
import TestSupport
import Testing

@testable import DynamicEvents

/// The reader against Foundation's, which is slower but read by many.
@Suite("Agreement with Foundation", .timeLimit(.minutes(2)))
struct FoundationAgreementTests {
  struct Body: Decodable {
    struct Data: Decodable {
      let id: String?
      let ipAddress: String?
      let userAgent: String?
    }
    let eventId: String?
    let messageId: String?
    let webhookId: String?
    let eventName: String
    let environmentId: String?
    let environmentName: String?
    let userId: String?
    let externalUserId: String?
    let redelivery: Bool?
    let timestamp: String?
    let data: Data?
  }

  static let bodies =
    Vector.all.map(\.text) + [
      #"{"eventName":"a","eventName":"b"}"#, #"{"event\u004eame":"a","eventName":"b","userId":"1","userId":"2"}"#,
      #"{"eventName":"😀\ud83d\ude00\n\/","data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}}"#,
    ]

  @Test(arguments: bodies)
  func `Every field is what JSONDecoder makes of it`(text: String) throws {
    let expected = try JSONDecoder().decode(Body.self, from: Foundation.Data(text.utf8))
    let event = try Event(text)
    let envelope = event.envelope
    #expect(envelope.eventId == expected.eventId)
    #expect(envelope.messageId == expected.messageId)
    #expect(envelope.webhookId == expected.webhookId)
    #expect(envelope.eventName == expected.eventName)
    #expect(envelope.environmentId == expected.environmentId)
    #expect(envelope.environmentName == expected.environmentName)
    #expect(envelope.userId == expected.userId)
    #expect(envelope.externalUserId == expected.externalUserId)
    #expect(envelope.redelivery == (expected.redelivery ?? false))
    #expect(envelope.timestamp == expected.timestamp.flatMap { Timestamp($0) })
    if let session = event.session {
      #expect(session.id.description == expected.data?.id)
      #expect(session.ipAddress == expected.data?.ipAddress)
      #expect(session.userAgent == expected.data?.userAgent)
    }
  }

  @Test(arguments: ["2026-10-01T09:00:00.348Z", "2024-02-29T23:59:59.001Z"])
  func `A time is the one that Foundation reads`(text: String) throws {
    let expected = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
    let timestamp = try #require(Timestamp(text))
    #expect(abs(timestamp.date.timeIntervalSince(expected)) < 0.0005)
    #expect(timestamp.description == text)
  }
}
