/// Payloads as Dynamic writes them, their exact bytes, and the signatures made with `Vector.secret`.
package struct Vector: Sendable, CustomStringConvertible {
  package static let secret = "dyn_5LqRXtZsXit7Cjt9KktC8EGywoSkGSbGqtTud[S7AYd{LUTMcS38QRMT"
  package static let all = [sessionRevoked, adminSessionRevoked, ping]

  package let name: String
  package let text: String
  package let signature: String

  package var body: [UInt8] { Array(text.utf8) }
  package var description: String { name }

  package static let sessionRevoked = Vector(
    name: "user.session.revoked",
    text: ##"""
      {"messageId":"11111111-1111-4111-8111-111111111111",\##
      "eventId":"22222222-2222-4222-8222-222222222222",\##
      "eventName":"user.session.revoked",\##
      "timestamp":"2026-10-01T09:00:00.348Z",\##
      "webhookId":"33333333-3333-4333-8333-333333333333",\##
      "userId":"44444444-4444-4444-8444-444444444444",\##
      "environmentId":"55555555-5555-4555-8555-555555555555",\##
      "environmentName":"live",\##
      "data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10",\##
      "createdAt":"2026-09-30T08:14:03.117Z",\##
      "ipAddress":"203.0.113.7",\##
      "userAgent":"Mozilla/5.0 (X11; Linux x86_64)",\##
      "revokedAt":"2026-10-01T09:00:00.301Z"}}
      """##,
    signature: "sha256=e7ef1daf8d57e3c0506d1f2522d871fd416d9eac7aa679cd4f22867705f12628")

  package static let adminSessionRevoked = Vector(
    name: "admin.user.session.revoked",
    text: ##"""
      {"eventId":"22222222-2222-4222-8222-222222222223",\##
      "webhookId":"33333333-3333-4333-8333-333333333333",\##
      "environmentId":"55555555-5555-4555-8555-555555555555",\##
      "data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10",\##
      "createdAt":"2026-09-30T08:14:03.117Z",\##
      "ipAddress":null,\##
      "userAgent":null,\##
      "revokedAt":null},"environmentName":"sandbox",\##
      "messageId":"11111111-1111-4111-8111-111111111112",\##
      "eventName":"admin.user.session.revoked",\##
      "userId":null,\##
      "timestamp":"2026-10-01T09:00:00Z",\##
      "redelivery":true}
      """##,
    signature: "sha256=b72e4c1d2ddf53e087fe7f11881a01add5520423dca0033b21b85fb965401d5c")

  package static let ping = Vector(
    name: "ping",
    text: ##"""
      {"messageId":"11111111-1111-4111-8111-111111111113",\##
      "eventId":"22222222-2222-4222-8222-222222222224",\##
      "eventName":"ping",\##
      "timestamp":"2026-10-01T09:00:00.000Z",\##
      "webhookId":"33333333-3333-4333-8333-333333333333",\##
      "userId":"44444444-4444-4444-8444-444444444444",\##
      "environmentId":"55555555-5555-4555-8555-555555555555",\##
      "environmentName":"sandbox",\##
      "data":{"webhookId":"33333333-3333-4333-8333-333333333333",\##
      "message":"ping",\##
      "events":["user.session.revoked",\##
      "admin.user.session.revoked"],"url":"https://website-sample.com/hooks/dynamic",\##
      "isEnabled":true}}
      """##,
    signature: "sha256=9053e60cd16fe5f07ad55cebab55ebc413e539fc27bce75f547530fea7b9aecc")
}
