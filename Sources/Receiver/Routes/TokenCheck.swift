internal import AccessTokens
internal import DynamicEvents

/// The body of `POST /v1/tokens/check`:
/// `{"tokens":[{"sid":"…","originalSid":"…","sub":"…","environment_id":"…","iat":…}, …]}`, the claims as a JWT has
/// them, all but `sid` optional. Further claims say nothing here and are passed over; a further member beside `tokens`
/// may be meant to change the answer, so it is refused.
struct TokenCheck {
  /// All are answered as of one moment, and more would hold up the other look-ups of the loop.
  static let most = 1000

  /// In the order asked, as often as asked.
  private(set) var tokens: [TokenClaims] = []

  /// A fixed sentence; never holds input.
  struct Malformed: Error {
    let detail: String
  }

  init(_ body: Span<UInt8>) throws(Malformed) {
    let problem: String?
    do throws(JSONError) {
      problem = try read(body)
    } catch {
      throw Malformed(detail: "the body is not JSON, \(error)")
    }
    if let problem { throw Malformed(detail: problem) }
  }

  /// Returns what is wrong beyond the syntax.
  private mutating func read(_ body: Span<UInt8>) throws(JSONError) -> String? {
    var reader = JSONReader()
    guard try reader.enterObject(in: body) else { return "the body is not an object" }
    var isComplete = false
    while let key = try reader.nextKey(in: body) {
      guard key.text(in: body) == "tokens" else { return "the body has a member other than tokens" }
      if isComplete { return "tokens stands twice" }
      isComplete = true
      guard try reader.enterArray(in: body) else { return "tokens is not an array" }
      while try reader.nextElement(in: body) {
        guard tokens.count < Self.most else { return "there are more than \(Self.most) tokens" }
        let element = body.extracting(try reader.value(in: body))
        do throws(UnreadableToken) {
          tokens.append(try TokenClaims(payload: element))
        } catch {
          return "tokens holds what cannot be told apart: \(error.problem)"
        }
      }
    }
    try reader.finish(body)
    return isComplete ? nil : "tokens is missing"
  }
}

extension UnreadableToken {
  /// In the words of claims, since there is no JWT here.
  fileprivate var problem: String {
    switch self {
    case .notThreeParts, .notBase64URL, .notJSON, .notAnObject: "an element is no object of claims"
    case .repeated: "a claim stands twice"
    case .noSessionID: "sid is missing or no session id"
    case .noOriginalSessionID: "originalSid is no session id"
    case .notAString: "sub or environment_id is no string"
    }
  }
}
