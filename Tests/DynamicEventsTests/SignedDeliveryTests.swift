import Signature
import TestSupport
import Testing

@testable import DynamicEvents

@Suite("Signed deliveries", .timeLimit(.minutes(2)))
struct SignedDeliveryTests {
  /// The outcome by name, since an outline is not to be compared.
  static func outcome(signature: String, body: [UInt8], secret: String = Vector.secret) throws -> String {
    let verifier = try SignatureVerifier(secrets: [try Secret(secret)])
    return switch SignedDelivery(signature: Array(signature.utf8).span, body: body.span, verifier: verifier) {
    case .forged: "forged"
    case .undecodable(let reason): "undecodable: \(reason)"
    case .genuine(let outline): "genuine \(outline.eventName.text(in: body.span))"
    }
  }

  static func sign(_ body: [UInt8]) throws -> String {
    SignatureHeader.value(for: try HMACSHA256(key: try Secret(Vector.secret)).code(for: body.span))
  }

  @Test(arguments: Vector.all)
  func `The vectors are genuine`(vector: Vector) throws {
    #expect(try Self.outcome(signature: vector.signature, body: vector.body) == "genuine \(vector.name)")
  }

  @Test(arguments: ["{}", "", "not JSON", "\u{0}"])
  func `A signature that does not fit is forged, whatever the body holds`(text: String) throws {
    let body = Array(text.utf8)
    let signature = try Self.sign(body)
    for other in ["", Vector.ping.signature, signature.uppercased(), signature + " "] {
      #expect(try Self.outcome(signature: other, body: body) == "forged")
    }
    #expect(try Self.outcome(signature: signature, body: body, secret: "dyn_another-secret") == "forged")
  }

  @Test(arguments: [
    ("", "the body is not JSON: at byte 0: the text ends too early"), ("[]", "the body is not a JSON object"),
    ("{}", "the body has no eventName"),
    (#"{"eventName":"user.session.revoked"}"#, "the event of a revoked session has no valid data.id"),
  ])
  func `What is signed but unusable is told apart from what is forged`(text: String, reason: String) throws {
    let body = Array(text.utf8)
    #expect(try Self.outcome(signature: Self.sign(body), body: body) == "undecodable: \(reason)")
  }
}
