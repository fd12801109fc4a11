import Signature
import TestSupport
import Testing

@testable import DynamicEvents

@Suite("What deliveries are deduplicated by", .timeLimit(.minutes(2)))
struct EventKeyTests {
  /// The first 16 bytes of a SHA-256.
  static func hash(_ text: String) throws -> String {
    String(try SHA256.digest(of: Array(text.utf8).span).hex.prefix(32))
  }

  @Test func `A lower-case UUID stands for itself, with escapes as well`() throws {
    let key = "22222222222242228222222222222222"
    #expect(try EventOutline.key(Vector.sessionRevoked.text) == key)
    #expect(try EventOutline.key(#"{"eventName":"a","eventId":"\u00322222222-2222-4222-8222-222222222222"}"#) == key)
  }

  @Test(arguments: ["event-1", "22222222-2222-4222-8222-22222222222A", "é", "x"])
  func `Another id stands by its hash`(id: String) throws {
    #expect(try EventOutline.key(#"{"eventName":"a","eventId":"\#(id)"}"#) == Self.hash(id))
  }

  @Test func `Two spellings of one id are one event`() throws {
    let plain = try EventOutline.key(#"{"eventName":"a","eventId":"evt/é"}"#)
    #expect(try EventOutline.key(#"{"eventId":"evt\/\u00e9", "eventName":"b"}"#) == plain)
    #expect(plain == (try Self.hash("evt/é")))
  }

  @Test func `Up to 256 bytes are an id, counted without escapes`() throws {
    let id = String(repeating: "a", count: 256)
    #expect(try EventOutline.key(#"{"eventName":"a","eventId":"\#(id)"}"#) == Self.hash(id))
    let escaped = String(repeating: #"\u0061"#, count: 256)
    #expect(try EventOutline.key(#"{"eventName":"a","eventId":"\#(escaped)"}"#) == Self.hash(id))
  }

  @Test(arguments: [
    #"{"eventName":"ping"}"#, #"{"eventName":"ping","eventId":null}"#, #"{"eventName":"ping","eventId":""}"#,
    #"{"eventName":"ping","eventId":7}"#,
    #"{"eventName":"ping","eventId":"\#(String(repeating: "a", count: 257))"}"#,
  ])
  func `Without a usable id the whole body counts`(text: String) throws {
    #expect(try EventOutline.key(text) == Self.hash(text))
    let key = try EventKey(ofBody: Array(text.utf8).span)
    #expect(key.hex == (try Self.hash(text)))
    #expect(EventKey(bytes: key.bytes) == key)
  }
}
