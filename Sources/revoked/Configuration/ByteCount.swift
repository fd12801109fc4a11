/// A size as people write it: `262144`, `256KiB`, `1MiB` or `1GiB`.
struct ByteCount: Equatable {
  let bytes: Int

  /// `nil` for anything else, a sign, a fraction or an overflow among them. `KB` is refused: some mean 1,000 by it.
  init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
    guard let number = Int(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    self.bytes = bytes
  }
}
