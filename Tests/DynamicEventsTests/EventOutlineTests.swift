import TestSupport
import Testing

@testable import DynamicEvents

@Suite("Events as the receiver reads them", .timeLimit(.minutes(2)))
struct EventOutlineTests {
  static let id = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  @Test(arguments: Vector.all)
  func `The vectors are what their names say`(vector: Vector) throws {
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

  @Test func `The session's times are read, and null is none`() throws {
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
    (#"{"eventName":"admin.user.session.revoked","data":{"id":"session"}}"#, .noSessionID),
    (#"{"eventName":"user.session.revoked","id":"\#(id)","data":{"session":{"id":"\#(id)"}}}"#, .noSessionID),
  ]

  @Test(arguments: undecodableBodies)
  func `What is missing is said, and nothing of the input`(text: String, reason: UndecodableReason) {
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
      // RFC 9562 §4.
      (
        #"{"eventName":"user.session.revoked","data":{"id":"\#(id.uppercased())"}}"#,
        .sessionRevoked(session, by: .user)
      ),
      // The first of two counts, as with Foundation's JSONDecoder, unless another reader would see a revocation.
      (#"{"eventName":"ping","eventName":"user.created"}"#, .ping),
      (
        #"{"eventName":"ping","data":{"id":"\#(id)"},"eventName":"user.session.revoked","eventName":"x"}"#,
        .sessionRevoked(session, by: .user)
      ),
      (
        #"{"eventName":"user.session.revoked","data":{"id":"\#(id)"},"event\u004eame":"admin.user.session.revoked"}"#,
        .sessionRevoked(session, by: .user)
      ),
      (
        #"{"eventName":"user.session.revoked","data":{"id":"\#(id)","id":"x"},"data":{"id":"y"}}"#,
        .sessionRevoked(session, by: .user)
      ),
      (
        #"{"eventName":"user.session.revoked","data":{"id":7,"id":"x","id":"\#(id)"}}"#,
        .sessionRevoked(session, by: .user)
      ),
      (
        #"{"eventName":"user.session.revoked","data":null,"data":{"id":"\#(id)"}}"#, .sessionRevoked(session, by: .user)
      ),
    ]
  }()

  @Test(arguments: spellings)
  func `Key order, white space, escapes and unknown fields change nothing`(text: String, kind: EventOutline.Kind) throws
  {
    #expect(try EventOutline(text).kind == kind)
  }

  static let other = "0b9e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"
  static let third = "ffffffff-4b5a-4978-8695-a4b3c2d1e0f9"

  @Test(
    arguments: [
      (#"{"id":"\#(id)"}"#, []), (#"{"id":"\#(id)","id":"\#(id)"}"#, []),
      (#"{"id":"\#(id)","id":"\#(id.uppercased())"}"#, []), (#"{"id":"\#(id)","id":"\#(other)"}"#, [other]),
      (#"{"id":"\#(id)","\u0069d":"\#(other)"}"#, [other]),
      (#"{"id":"\#(id)","i\u0064":"\u0030\#(other.dropFirst())"}"#, [other]),
      (#"{"id":"\#(id)"},"data":{"id":"\#(other)"}"#, [other]),
      (#"{"id":"\#(id)"},"d\u0061ta":{"id":"\#(other)"}"#, [other]),
      (#"{"id":"\#(id)"},"data":[{"id":"\#(other)"}]"#, []),
      (#"{"id":"\#(id)","id":"\#(other)","id":"\#(third)","id":"\#(other)"}"#, [other, third]),
    ] as [(String, [String])])
  func `Every session that the event names is revoked, whichever of them another reader would take`(
    data: String, others: [String]
  ) throws {
    let outline = try EventOutline(#"{"data":\#(data),"eventName":"user.session.revoked"}"#)
    #expect(outline.kind == .sessionRevoked(try #require(SessionID(Self.id)), by: .user))
    #expect(outline.otherSessions.map(\.description) == others)
    #expect(try EventOutline(#"{"data":\#(data),"eventName":"user.session.created"}"#).otherSessions == [])
  }

  @Test func `What 'send' makes is told apart by its webhook's id`() throws {
    let zeros = #""00000000-0000-0000-0000-000000000000""#
    #expect(try EventOutline(#"{"eventName":"ping","webhookId":\#(zeros)}"#).isTest)
    #expect(try EventOutline(#"{"eventName":"ping","webhookId":"\u0030\#(zeros.dropFirst(2))}"#).isTest)
    #expect(try !EventOutline(#"{"eventName":"ping","data":{"webhookId":\#(zeros)}}"#).isTest)
    for vector in Vector.all { #expect(try !EventOutline(vector.text).isTest) }
  }

  @Test(arguments: [
    "eventId", "messageId", "webhookId", "environmentId", "environmentName", "timestamp", "userId", "externalUserId",
    "redelivery", "new",
  ])
  func `Any value of any other field still makes an event`(field: String) throws {
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

  @Test(arguments: [1, 63, 64, 65, 128, 129, 100_000])
  func `What is not needed is passed over however deep it is nested`(depth: Int) throws {
    for (open, close) in [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")] {
      let value = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      #expect(try EventOutline(#"{"new":\#(value),"eventName":"ping"}"#).kind == .ping)
      #expect(
        try EventOutline(#"{"data":{"x":\#(value),"id":"\#(Self.id)"},"eventName":"user.session.revoked"}"#).kind
          == .sessionRevoked(#require(SessionID(Self.id)), by: .user))
    }
  }
}
