internal import AccessTokens
internal import Outgoing

/// Fetches an environment's key set. What the peer does cannot make it take longer or more than the limits say.
struct KeySource: Sendable {
  struct Unusable: Error, CustomStringConvertible {
    let description: String
  }

  private let request: OutgoingRequest

  init(_ verification: TokenVerification) {
    var request = OutgoingRequest(.get, verification.keysURL)
    request.fields = [("Accept", "application/json")]
    request.authorities = verification.authorities
    // Requests may be waiting for it.
    request.limits.connectTime = .seconds(3)
    request.limits.time = .seconds(5)
    request.limits.bodyBytes = KeySet.maximumBytes
    self.request = request
  }

  func fetch() async throws -> [UInt8] {
    let response = try await HTTPClient.shared.response(to: request)
    guard response.status == 200 else { throw Unusable(description: "the answer is \(response.status)") }
    if let cut = response.cut { throw Unusable(description: "the answer is not whole: \(cut)") }
    return response.body
  }
}
