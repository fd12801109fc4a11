/// Which keys there are, and what to say of one that there is not.
enum ConfigurationNames {
  enum Meaning: Equatable {
    case key(isSecret: Bool)
    /// Only other keys stand below it: `limits`, `handlers.audit`.
    case section
    /// What is wrong with it.
    case unknown(String)
  }

  private static let plain = Dictionary(uniqueKeysWithValues: Settings.keys.map { ($0.name, $0.isSecret) })
  private static let handler = Dictionary(uniqueKeysWithValues: HandlerKey.all.map { ($0.key.name, $0.key.isSecret) })
  private static let sections = Set(
    plain.keys.compactMap { $0.split(separator: ".").dropLast().first.map(String.init) } + ["handlers"])

  static func meaning(of name: String) -> Meaning {
    if let isSecret = plain[name] { return .key(isSecret: isSecret) }
    if sections.contains(name) { return .section }
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, parts[0] == "handlers" else {
      return .unknown(complaint(about: name, known: sections.union(plain.keys)))
    }
    guard HandlerKey.isName(parts[1]) else {
      return .unknown("a handler's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -")
    }
    guard parts.count == 3 else { return .section }
    if let isSecret = handler[parts[2]] { return .key(isSecret: isSecret) }
    return .unknown(complaint(about: name, known: Set(handler.keys.map { "handlers.\(parts[1]).\($0)" })))
  }

  private static let variables = Dictionary(
    uniqueKeysWithValues: plain.keys.map { (environmentName(of: $0), $0) })
  /// `_KIND`, `_SECRET_FILE`, …; the longest first, for that one is meant.
  private static let handlerSuffixes = handler.keys
    .map { (suffix: "_" + environmentName(of: $0).dropFirst("REVOKED_".count), key: $0) }
    .sorted { ($1.suffix.count, $0.suffix) < ($0.suffix.count, $1.suffix) }

  /// The key that a `REVOKED_…` variable sets.
  static func key(ofVariable variable: String) throws(Mismatch) -> String {
    if let key = variables[variable] { return key }
    guard variable.hasPrefix("REVOKED_HANDLERS_") else {
      throw Mismatch("no key has this variable" + hint(for: variable, known: Set(variables.keys)))
    }
    let rest = variable.dropFirst("REVOKED_HANDLERS_".count)
    guard let (suffix, key) = handlerSuffixes.first(where: { rest.hasSuffix($0.suffix) }) else {
      throw Mismatch("ends in no key of a handler (KIND, EVENTS, COMMAND, …)")
    }
    // Lower-case letters would make a second spelling of the same name.
    let upper = rest.dropLast(suffix.count)
    let name = upper.lowercased().replacing("_", with: "-")
    guard !upper.contains(where: \.isLowercase), HandlerKey.isName(name) else {
      throw Mismatch("a handler's name is 1 to 63 of A-Z, 0-9 and _ here")
    }
    return "handlers.\(name).\(key)"
  }

  private static func complaint(about name: String, known: Set<String>) -> String {
    "there is no such key" + hint(for: name, known: known)
  }

  private static func hint(for name: String, known: Set<String>) -> String {
    nearest(to: name, in: known).map { "; did you mean \($0)?" } ?? ""
  }

  /// The known name that ends in it (`body` for `limits.body`), else the one that the fewest slips lead to.
  static func nearest(to name: String, in known: Set<String>) -> String? {
    let sorted = known.sorted()
    if let longer = sorted.first(where: { $0.hasSuffix(".\(name)") || $0.hasSuffix("_\(name)") }) { return longer }
    let ranked = sorted.map { (slips(from: name, to: $0), $0) }
    guard let (slips, nearest) = ranked.min(by: { $0.0 < $1.0 }), slips <= max(2, name.count / 3) else { return nil }
    return nearest
  }

  /// Levenshtein's distance.
  static func slips(from: String, to: String) -> Int {
    var row = Array(0...to.count)
    for (i, a) in from.prefix(100).enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in to.enumerated() {
        let change = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, diagonal + 1)
      }
    }
    return row[to.count]
  }
}
