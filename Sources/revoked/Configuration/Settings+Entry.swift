extension Settings {
  /// A key as `config show` prints it.
  struct Entry: Sendable, Equatable {
    enum Shown: Sendable, Equatable {
      case none
      case text(String)
      case list([String])
      /// Nothing of a secret leaves, not even its length.
      case secrets(Int)
    }

    let key: String
    let shown: Shown
    let source: ConfigurationSource
  }
}

extension Settings.Entry {
  init(_ key: String, _ value: ConfigurationValue?, isSecret: Bool) {
    self.key = key
    source = value?.source ?? .standard
    shown =
      switch value?.content {
      case nil: .none
      case .text where isSecret: .secrets(1)
      case .list(let list) where isSecret: .secrets(list.count)
      case .text(let text): .text(text)
      case .list(let list): .list(list)
      }
  }
}
