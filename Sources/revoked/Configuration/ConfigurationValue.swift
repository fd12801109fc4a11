/// A value as it was written. Nothing is typed before a key's parser has seen it: `no`, `1e3` and `8080` stay text.
struct ConfigurationValue: Sendable, Equatable {
  enum Content: Sendable, Equatable {
    case text(String)
    /// Only a file can write one.
    case list([String])
  }

  var content: Content
  var source: ConfigurationSource

  static func text(_ text: String, _ source: ConfigurationSource) -> Self { Self(content: .text(text), source: source) }
}
