/// What is wrong with a value and what would be right; the problem's line adds the key and the source.
struct Mismatch: Error, Equatable {
  let text: String

  init(_ text: String) {
    self.text = text
  }

  /// `"lots" is not a number of bytes …`. Never for a secret: the value is echoed, cut and with its control characters
  /// escaped, so that a problem stays one line.
  init(_ value: String, isNot right: String) {
    let cut = value.count > 80 ? value.prefix(80) + "…" : value[...]
    text = "\(String(cut).debugDescription) is not \(right)"
  }
}
