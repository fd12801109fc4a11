internal import Bytes

extension String {
  /// The text with everything replaced that a terminal might act on, or that would make it show something else than
  /// what is there: control and format characters, ESC and bidirectional overrides among them, as `\u{1b}`. A peer
  /// chooses its text.
  func visible(keepingLines: Bool = false) -> String {
    escaped { scalar in keepingLines && scalar == "\n" ? nil : "\\u{\(String(scalar.value, radix: 16))}" }
  }

  /// The same for JSON, which stays the same value: outside of strings it has no such character but line ends.
  var visibleJSON: String {
    escaped { scalar in
      scalar == "\n" ? nil : JSONText.escape(of: scalar)
    }
  }

  /// Cut, and marked as cut, to at most so many columns, and filled up to them. What is not ASCII may be two columns
  /// wide, and is taken to be.
  func column(_ width: Int) -> String {
    let text = fitted(to: width)
    return text + String(repeating: " ", count: max(0, width - text.columns))
  }

  func fitted(to width: Int) -> String {
    if columns <= width { return self }
    var text = ""
    var room = width - 1
    for character in self {
      room -= character.columns
      if room < 0 { break }
      text.append(character)
    }
    return text + "…"
  }

  private var columns: Int { reduce(0) { $0 + $1.columns } }

  private func escaped(_ escape: (Unicode.Scalar) -> String?) -> String {
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.isUnsafeOnTerminal, let escaped = escape(scalar) {
        text.append(contentsOf: escaped.unicodeScalars)
      } else {
        text.append(scalar)
      }
    }
    return String(text)
  }
}

extension Character {
  fileprivate var columns: Int { isASCII || self == "…" ? 1 : 2 }
}

extension Unicode.Scalar {
  /// Whether a terminal might act on it, or show something else for it than what is there.
  var isUnsafeOnTerminal: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
    default: false
    }
  }
}
