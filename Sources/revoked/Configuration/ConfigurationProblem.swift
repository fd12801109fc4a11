/// One thing that is wrong with the configuration, as one line that names its key and its source.
struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// `nil` when the file as a whole is unusable.
  let key: String?
  let source: ConfigurationSource?
  let text: String

  init(_ key: String?, _ source: ConfigurationSource?, _ text: String) {
    self.key = key
    self.source = source == .standard ? nil : source
    self.text = text
  }

  var description: String {
    switch (key, source) {
    case (let key?, let source?): "\(key) (\(source.place)): \(text)"
    case (let key?, nil): "\(key): \(text)"
    case (nil, let source?): "\(source.place): \(text)"
    case (nil, nil): text
    }
  }
}
