import TestSupport
import Testing

@testable import DynamicEvents

@Suite struct EventOutlineTests {
  static let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  @Test("The vectors are what their names say", arguments: Vector.all)
  func vectors(vector: Vector) throws {
    let outline = try EventOutline(vector.text)
    let id = try #require(SessionID(Self.id))
    let kinds: [String: EventOutline.Kind] = [
      "user.session.revoked": .sessionRevoked(id, by: .user),
      "admin.user.session.revoked": .sessionRevoked(id, by: .admin), "ping": .ping,
    ]
    #expect(outline.kind == kinds[vector.name])
    #expect(outline.eventName.text(of: vector.text) == vector.name)
    #expect(outline.eventId?.text(of: vector.text).hasPrefix("22222222-2222-4222-8222-") == true)
    #expect(outline.messageId?.text(of: vector.text).hasPrefix("11111111-1111-4111-8111-") == true)
    #expect(outline.timestamp.map { $0.milliseconds / 1000 } == 1_790_845_200)
  }

  @Test("The session's times are read, and null is none")
  func sessionTimes() throws {
    let user = try EventOutline(Vector.sessionRevoked.text)
    #expect(user.createdAt?.description == "2026-09-30T08:14:03.117Z")
    #expect(user.revokedAt?.description == "2026-10-01T09:00:00.301Z")
    let admin = try EventOutline(Vector.adminSessionRevoked.text)
    #expect(admin.createdAt?.description == "2026-09-30T08:14:03.117Z")
    #expect(admin.revokedAt == nil)
  }

  static let undecodableBodies: [(String, UndecodableReason)] = [
    ("", .notJSON(JSONError(offset: 0, reason: .unexpectedEnd))),
    ("sessions", .notJSON(JSONError(offset: 0, reason: .unexpectedByte))),
    (#"{"eventName":"ping"}x"#, .notJSON(JSONError(offset: 20, reason: .trailingBytes))),
    ("[,]", .notJSON(JSONError(offset: 1, reason: .unexpectedByte))),
    ("[]", .notAnObject), ("null", .notAnObject), ("\"ping\"", .notAnObject),
    (
      #"[{"eventName":"ping"}]"#,
      .notAnObject
    ),
    ("{}", .noEventName), (#"{"eventName":null}"#, .noEventName), (#"{"eventName":1}"#, .noEventName),
    (#"{"eventName":["ping"]}"#, .noEventName), (#"{"eventname":"ping"}"#, .noEventName),
    (#"{"data":{"eventName":"ping"}}"#, .noEventName),
    (#"{"eventName":"user.session.revoked"}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":null}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":"\#(id)"}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":[{"id":"\#(id)"}]}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":{}}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":{"id":null}}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":{"id":7}}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","data":{"id":"\#(id.uppercased())"}}"#, .noSessionID),
    (#"{"eventName":"admin.user.session.revoked","data":{"id":"session"}}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","id":"\#(id)","data":{"session":{"id":"\#(id)"}}}"#, .noSessionID),
  ]

  @Test("What is missing is said, and nothing of the input", arguments: undecodableBodies)
  func undecodable(text: String, reason: UndecodableReason) {
    let error = #expect(throws: UndecodableReason.self) { try EventOutline(text) }
    #expect(error == reason)
    #expect(throws: reason) { try Event(text) }
    #expect(!reason.description.contains(Self.id) && !reason.description.contains("sessions"))
  }

  static let spellings: [(String, EventOutline.Kind)] = {
    guard let session = SessionID(id) else { return [] }
    return [
      (#"{"eventName":"ping"}"#, .ping), (#"{"eventName":"p\u0069ng"}"#, .ping),
      (#"{"data":7,"eventName":"ping","timestamp":{},"eventId":[]}"#, .ping), (#"{"eventName":""}"#, .other),
      (#"{"eventName":"Ping"}"#, .other), (#"{"eventName":"user.session.revoked2","data":null}"#, .other),
      (#"{"eventName":"user.session.created","data":{"id":"\#(id)"}}"#, .other), (#"{"eventName":"wallet.é"}"#, .other),
      (#"{"eventName":"user.session.revoked","data":{"id":"\#(id)"}}"#, .sessionRevoked(session, by: .user)),
      (#"{"data":{"x":[{}],"id":"\#(id)"},"eventName":"user.session.revoked"}"#, .sessionRevoked(session, by: .user)),
      (
        #"{ "data" : { "id" : "\#(id)" } , "eventName" : "admin.user.session.revoked" }"#,
        .sessionRevoked(session, by: .admin)
      ),
      (
        #"{"event\u004eame":"user.session\u002Erevoked","d\u0061ta":{"\u0069d":"\u0033\#(id.dropFirst())"}}"#,
        .sessionRevoked(session, by: .user)
      ),
      // The first of two counts, as with Foundation's JSONDecoder.
      (#"{"eventName":"ping","eventName":"user.session.revoked"}"#, .ping),
      (
        #"{"eventName":"user.session.revoked","data":{"id":"\#(id)","id":"x"},"data":{"id":"y"}}"#,
        .sessionRevoked(session, by: .user)
      ),
    ]
  }()

  @Test("Key order, white space, escapes and unknown fields change nothing", arguments: spellings)
  func kinds(text: String, kind: EventOutline.Kind) throws {
    #expect(try EventOutline(text).kind == kind)
  }

  @Test(
    "Any value of any other field still makes an event",
    arguments: [
      "eventId", "messageId", "webhookId", "environmentId", "environmentName", "timestamp", "userId", "externalUserId",
      "redelivery", "new",
    ])
  func tolerant(field: String) throws {
    let values = [
      "null", "1", "-0.5e3", "true", "[]", "{}", #"{"id":[1,{"a":null}]}"#, #""""#, #""x""#,
      #""\ud83d\ude00""#,
    ]
    for value in values {
      let text = #"{"\#(field)":\#(value),"eventName":"user.session.revoked","data":{"id":"\#(Self.id)"}}"#
      guard case .sessionRevoked = try EventOutline(text).kind else {
        Issue.record("\(text)")
        continue
      }
      _ = try Event(text)
      _ = try EventOutline.key(text)
    }
  }

  @Test("Nesting is read up to the limit and refused beyond it, without recursion")
  func nesting() throws {
    func text(_ depth: Int) -> String {
      let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      return #"{"new":\#(value),"eventName":"ping"}"#
    }
    #expect(try EventOutline(text(63)).kind == .ping)
    for depth in [64, 100_000] {
      #expect(throws: UndecodableReason.notJSON(JSONError(offset: 70, reason: .nestingTooDeep))) {
        try EventOutline(text(depth))
      }
    }
  }
}
