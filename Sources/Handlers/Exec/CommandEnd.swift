/// How a command ended, and what it printed.
struct CommandEnd: Sendable {
  enum Status: Equatable {
    case exited(Int32)
    case signaled(Int32)
    /// Another part of the process asked the kernel first, or the process ignores SIGCHLD.
    case unknown

    /// As `waitpid` has it.
    init(_ number: Int32) {
      let signal = number & 0x7F
      self = signal == 0 ? .exited(number >> 8 & 0xFF) : .signaled(signal)
    }
  }

  let status: Status
  let output: CommandOutput
}

/// The first 4 KiB of what a command prints, and its last line on standard error. The rest is read, so that the command
/// can go on, and dropped: a log is no place for it.
struct CommandOutput {
  private static let bound = 4096
  private static let longestLine = 256

  private var kept: [UInt8] = []
  private var dropped = 0
  /// The last bytes on standard error.
  private var tail: [UInt8] = []

  var isEmpty: Bool { kept.isEmpty }

  mutating func append(_ bytes: ArraySlice<UInt8>, isError: Bool) {
    let taken = min(bytes.count, Self.bound - kept.count)
    kept += bytes.prefix(taken)
    // A command may print for as long as its deadline allows.
    dropped = dropped.addingReportingOverflow(bytes.count - taken).partialValue
    guard isError else { return }
    tail += bytes.suffix(Self.bound)
    tail.removeFirst(max(0, tail.count - Self.bound))
  }

  /// Without the line end at its end, and with what is not UTF-8 replaced.
  var text: String {
    var text = String(decoding: kept, as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return dropped == 0 ? text : "\(text)… (\(dropped) bytes more)"
  }

  /// The last line on standard error that is not blank, cut to 256 characters. What a terminal might act on is
  /// replaced.
  var lastErrorLine: String? {
    let lines = String(decoding: tail, as: UTF8.self).split(whereSeparator: \.isNewline)
    guard let line = lines.last(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: line.unicodeScalars.lazy.map { $0.isShown ? $0 : "\u{FFFD}" })
    let whole = String(text)
    return whole.count <= Self.longestLine ? whole : "\(whole.prefix(Self.longestLine))…"
  }
}

extension Unicode.Scalar {
  fileprivate var isShown: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: self == "\t"
    default: true
    }
  }
}
