extension WireCase {
  /// Reads a fixture; its form is described in `Fixtures/README.md`.
  static func parse(_ markdown: String, file: String) throws -> [WireCase] {
    var cases: [WireCase] = []
    var block: Block?
    for (index, line) in markdown.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      func problem(_ text: String) -> FixtureError { FixtureError(description: "\(file):\(index + 1): \(text)") }
      switch (block, line) {
      case (nil, "```http"): block = .wire
      case (nil, "```text"): block = .outcomes
      case (.some, "```"): block = nil
      case (nil, _):
        guard line.hasPrefix("## ") else { continue }
        if let last = cases.last, last.outcomes.isEmpty { throw problem("the case before this one expects nothing") }
        cases.append(WireCase(file: file, line: index + 1, title: String(line.dropFirst(3)), wire: [], outcomes: []))
      case (.wire, _):
        guard let bytes = wireLine(line) else { throw problem("a byte that is not written as the README says") }
        guard !cases.isEmpty else { throw problem("bytes without a heading") }
        cases[cases.count - 1].wire += bytes
      case (.outcomes, _):
        guard !cases.isEmpty else { throw problem("an outcome without a heading") }
        cases[cases.count - 1].outcomes.append(String(line))
      }
    }
    guard block == nil, cases.allSatisfy({ !$0.outcomes.isEmpty }) else {
      throw FixtureError(description: "\(file): the last case is not whole")
    }
    return cases
  }

  private enum Block { case wire, outcomes }

  /// A line ends in CRLF unless a backslash takes its end away. White space that nobody could see is not allowed at its
  /// end.
  private static func wireLine(_ line: Substring) -> [UInt8]? {
    guard line.last != " " else { return nil }
    let backslashes = line.reversed().prefix { $0 == "\\" }.count
    guard backslashes % 2 == 1 else { return Wire.bytes(of: line).map { $0 + [0x0d, 0x0a] } }
    return Wire.bytes(of: line.dropLast())
  }
}
