internal import DynamicEvents

/// When the attempts to deliver an event failed, as one text of milliseconds with spaces between, oldest first.
struct AttemptTimes {
  /// The default of `max-attempts`; of more, the latest.
  static let most = 20

  private(set) var text: String

  init(text: String = "") {
    self.text = text
  }

  mutating func add(_ time: Timestamp) {
    let known = text.split(separator: " ").suffix(Self.most - 1)
    text = (known + ["\(time.milliseconds)"]).joined(separator: " ")
  }

  var times: [Timestamp] { text.split(separator: " ").compactMap { Int64($0).map(Timestamp.init(milliseconds:)) } }
}
