internal import DynamicEvents

/// The body of `POST /v1/sessions/check`: `{"sessionIds":["…", …]}`, nothing less and nothing more. A member that is not known may be meant
/// to change the answer, so it is refused instead of ignored.
struct SessionCheck {
  /// All are answered as of one moment, and more would hold up the other look-ups of the loop.
  static let most = 1000

  /// In the order asked, as often as asked.
  private(set) var sessions: [SessionID] = []

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

  /// Answers what is wrong beyond the syntax.
  private mutating func read(_ body: Span<UInt8>) throws(JSONError) -> String? {
    var reader = JSONReader()
    guard try reader.enterObject(in: body) else { return "the body is not an object" }
    var isComplete = false
    while let key = try reader.nextKey(in: body) {
      guard key.text(in: body) == "sessionIds" else { return "the body has a member other than sessionIds" }
      if isComplete { return "sessionIds stands twice" }
      isComplete = true
      guard try reader.enterArray(in: body) else { return "sessionIds is not an array" }
      while try reader.nextElement(in: body) {
        guard sessions.count < Self.most else { return "there are more than \(Self.most) sessionIds" }
        guard let text = try reader.string(in: body),
          let session = text.withValue(in: body, { value in SessionID(value) })
        else { return "sessionIds holds what is no session id: 36 lower-case characters, a UUID" }
        sessions.append(session)
      }
    }
    try reader.finish(body)
    return isComplete ? nil : "sessionIds is missing"
  }
}
