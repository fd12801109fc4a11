internal import DynamicEvents

/// The body of `POST /v1/sessions/check`: `{"sessionIds":["…", …]}`, nothing less and nothing more. A member that is
/// not known may be meant to change the answer, so it is refused instead of ignored.
struct SessionCheck {
  /// All are answered as of one moment, and more would hold up the other look-ups of the loop.
  static let most = 1000

  /// In the order asked, as often as asked.
  private(set) var sessions: [SessionID] = []
  /// By index, where a session was asked in upper case: the caller compares texts, so it gets its own back.
  private(set) var spellings: [Int: String] = [:]

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

  /// Returns what is wrong beyond the syntax.
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
        else { return "sessionIds holds what is no session id: a UUID of 36 characters" }
        if text.withValue(in: body, { value in !value.isLowerCase }) { spellings[sessions.count] = text.text(in: body) }
        sessions.append(session)
      }
    }
    try reader.finish(body)
    return isComplete ? nil : "sessionIds is missing"
  }
}

extension Span<UInt8> {
  fileprivate var isLowerCase: Bool {
    for index in indices where UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self[index] { return false }
    return true
  }
}
