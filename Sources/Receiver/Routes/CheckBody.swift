internal import AccessTokens
internal import DynamicEvents

/// The body of a check: an object with one array, and nothing else. A member that is not known may be meant to change
/// the answer, so it is refused instead of ignored.
enum CheckBody {
  /// All are answered as of one moment, and more would hold up the other look-ups of the loop.
  static let most = 1000

  /// A fixed sentence; never holds input.
  struct Malformed: Error {
    let detail: String
  }

  /// - Parameter take: reads one element, and returns what is wrong with it.
  static func read(
    _ body: Span<UInt8>, _ name: String,
    _ take: (inout JSONReader, Span<UInt8>) throws(JSONError) -> String?
  ) throws(Malformed) {
    let problem: String?
    do throws(JSONError) {
      problem = try Self.problem(body, name, take)
    } catch {
      throw Malformed(detail: "the body is not JSON, \(error)")
    }
    if let problem { throw Malformed(detail: problem) }
  }

  private static func problem(
    _ body: Span<UInt8>, _ name: String,
    _ take: (inout JSONReader, Span<UInt8>) throws(JSONError) -> String?
  ) throws(JSONError) -> String? {
    var reader = JSONReader()
    guard try reader.enterObject(in: body) else { return "the body is not an object" }
    var isComplete = false
    while let key = try reader.nextKey(in: body) {
      guard key.text(in: body) == name else { return "the body has a member other than \(name)" }
      if isComplete { return "\(name) stands twice" }
      isComplete = true
      guard try reader.enterArray(in: body) else { return "\(name) is not an array" }
      var count = 0
      while try reader.nextElement(in: body) {
        guard count < most else { return "there are more than \(most) \(name)" }
        count += 1
        if let problem = try take(&reader, body) { return problem }
      }
    }
    try reader.finish(body)
    return isComplete ? nil : "\(name) is missing"
  }
}

/// The body of `POST /v1/sessions/check`: `{"sessionIds":["…", …]}`.
struct SessionCheck {
  /// In the order asked, as often as asked.
  private(set) var sessions: [SessionID] = []
  /// By index, where a session was asked in upper case: the caller compares texts, so it gets its own back.
  private(set) var spellings: [Int: String] = [:]

  init(_ body: Span<UInt8>) throws(CheckBody.Malformed) {
    try CheckBody.read(body, "sessionIds") { (reader, body) throws(JSONError) in
      guard let text = try reader.string(in: body),
        let session = text.withValue(in: body, { value in SessionID(value) })
      else { return "sessionIds holds what is no session id: a UUID of 36 characters" }
      if text.withValue(in: body, { value in !value.isLowerCase }) { spellings[sessions.count] = text.text(in: body) }
      sessions.append(session)
      return nil
    }
  }

  /// The texts of some of the sessions, as they were asked. They are in the same order.
  func spelled(_ some: [SessionID]) -> [String] {
    var rest = some[...]
    var texts: [String] = []
    for (index, session) in sessions.enumerated() where session == rest.first {
      rest.removeFirst()
      texts.append(spellings[index] ?? session.description)
    }
    return texts
  }
}

/// The body of `POST /v1/tokens/check`:
/// `{"tokens":[{"sid":"…","originalSid":"…","sub":"…","environment_id":"…","iat":…}, …]}`, the claims as a JWT has
/// them, all but `sid` optional. Further claims say nothing here and are passed over.
struct TokenCheck {
  /// In the order asked, as often as asked.
  private(set) var tokens: [TokenClaims] = []

  init(_ body: Span<UInt8>) throws(CheckBody.Malformed) {
    try CheckBody.read(body, "tokens") { (reader, body) throws(JSONError) in
      let element = body.extracting(try reader.value(in: body))
      do throws(UnreadableToken) {
        tokens.append(try TokenClaims(payload: element))
        return nil
      } catch {
        return "tokens holds what cannot be told apart: \(error.problem)"
      }
    }
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

extension Span<UInt8> {
  fileprivate var isLowerCase: Bool {
    for index in indices where UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self[index] { return false }
    return true
  }
}
