/// The messageIds that an event arrived under, as one text with spaces between.
struct MessageIDs {
  /// Dynamic sends one message per webhook and event; more than a handful is a replay, which must not grow the row.
  static let most = 16
  /// A UUID has 36 bytes. What is longer, or would not come apart again, is not recorded.
  static let longest = 64

  private(set) var text: String

  init(text: String = "") {
    self.text = text
  }

  /// Answers whether the text changed.
  @discardableResult
  mutating func add(_ id: String?) -> Bool {
    guard let id, 1...Self.longest ~= id.utf8.count, id.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return false }
    if text.isEmpty {
      text = id
      return true
    }
    let known = text.split(separator: " ")
    guard known.count < Self.most, !known.contains(id[...]) else { return false }
    text += " " + id
    return true
  }
}
