internal import ArgumentParser
internal import Foundation
internal import Storage
internal import Synchronization

/// Standard output: what a command found, and nothing else. Every command writes through it.
///
/// A result that is cut short must not pass for a whole one: what cannot be written ends the command with 74. A reader
/// that has gone ends it quietly, by SIGPIPE, as it ends any other program.
enum Output {
  /// A block that is worth a system call.
  private static let block = 32 << 10
  private static let buffer = Mutex<[UInt8]>([])
  private static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Writes a line. People see it at once, others in blocks.
  static func line(_ text: String) throws(ExitCode) {
    try write(text + "\n")
  }

  static func write(_ text: String) throws(ExitCode) {
    let ready = buffer.withLock { buffer in
      buffer += text.utf8
      return buffer.count >= block || isTerminal ? take(&buffer) : []
    }
    try writeOut(ready)
  }

  /// Writes what waits. A command is done only when this is.
  static func finish() throws(ExitCode) {
    try writeOut(buffer.withLock { take(&$0) })
  }

  private static func take(_ buffer: inout [UInt8]) -> [UInt8] {
    defer { buffer = [] }
    return buffer
  }

  private static func writeOut(_ bytes: [UInt8]) throws(ExitCode) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // The buffer lives for the call, and the call reads `count` bytes of it at most.
      let count = unsafe rest.withUnsafeBytes { unsafe Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilWritable()
      case EPIPE: endByBrokenPipe()
      case let code: throw Failure.io("cannot write to standard output: \(SystemText.of(code))")
      }
    }
  }

  /// Another process that shares the terminal or the pipe made it non-blocking.
  private static func waitUntilWritable() {
    var poller = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    // One `pollfd` is passed and one is there.
    _ = unsafe poll(&poller, 1, -1)
  }

  private static func endByBrokenPipe() -> Never {
    _ = signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    // The first process of a container is not ended by it.
    _exit(128 + SIGPIPE)
  }
}

/// Values as JSON, with their keys in the order of the alphabet.
enum JSON {
  /// One line, without its end. What a terminal might obey is escaped, which leaves the value the same.
  static func line(_ value: some Encodable) -> String { text(value, []) }

  /// For a person to read: a line each, indented.
  static func document(_ value: some Encodable) -> String { text(value, .prettyPrinted) }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
    // Texts, numbers, lists and objects of them always encode.
    guard let data = try? encoder.encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self).visibleJSON
  }
}

/// A line on stderr that is no failure.
enum Notice {
  static func say(_ text: String) { write("revoked: \(text)\n") }

  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// How a command ends when it cannot do its work: what it says on stderr, and its exit code (sysexits.h).
enum Failure {
  /// The answer is "no", or the work failed. Said already.
  static let no = ExitCode(1)

  /// The same, with what is to be said.
  static func no(_ reason: String) -> ExitCode { say(reason, 1) }

  static var unauthorized: ExitCode {
    say("the receiver does not know the secret this was signed with: compare the one here with the one there", 1)
  }

  static func unreachable(_ reason: String) -> ExitCode { say(reason, EX_UNAVAILABLE) }

  static var unknownCommandLine: ExitCode {
    say("the command line cannot be read: it is empty, and so is /proc/self/cmdline, or not readable", EX_SOFTWARE)
  }

  /// The store cannot be opened, read or written.
  static func store(_ error: StoreError) -> ExitCode {
    switch error {
    case .unreachable: unreachable(error.description)
    case .misconfigured: configuration(error)
    default: io(error)
    }
  }

  static func io(_ reason: some CustomStringConvertible) -> ExitCode { say(reason.description, EX_IOERR) }

  /// Every problem, a line each.
  static func configuration(_ problems: some CustomStringConvertible) -> ExitCode {
    say(problems.description, EX_CONFIG)
  }

  private static func say(_ text: String, _ code: Int32) -> ExitCode {
    Notice.write(text.split(separator: "\n").map { "revoked: \($0)\n" }.joined())
    return ExitCode(code)
  }
}

/// A line on the terminal that is written over and over; nothing where stderr is no terminal.
struct ProgressLine {
  let isVisible = isatty(STDERR_FILENO) == 1

  func show(_ text: String) {
    if isVisible { Notice.write("\r\u{1b}[K\(text)") }
  }

  func clear() {
    if isVisible { Notice.write("\r\u{1b}[K") }
  }
}

/// Such a line for work whose amount is known.
struct ProgressBar {
  private let total: Int
  private let label: String
  private let line = ProgressLine()
  private var shown = -1

  init(total: Int, label: String = "") {
    self.total = max(1, total)
    self.label = label
  }

  mutating func show(_ done: Int) {
    let percent = done * 100 / total
    guard percent != shown else { return }
    shown = percent
    let filled = percent * 40 / 100
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
    line.show("\(bar) \(percent) % \(done)/\(total) \(label)")
  }

  func clear() { line.clear() }
}
