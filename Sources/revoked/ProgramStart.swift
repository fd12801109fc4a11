internal import Foundation
internal import Glibc

/// What the program makes sure of before it does anything else.
enum ProgramStart {
  /// The arguments behind the program's name; nil when they cannot be known.
  ///
  /// On Linux, Swift looks for them where the kernel put them, below the environment. After a preloaded library has called
  /// `setenv`, it finds none (swiftlang/swift #76080), and `serve` would print help and succeed.
  static func arguments() -> [String]? {
    let known = CommandLine.arguments
    if !known.isEmpty { return Array(known.dropFirst()) }
    guard let line = FileManager.default.contents(atPath: "/proc/self/cmdline"), line.last == 0 else { return nil }
    return line.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst().map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// Opens /dev/null for each of standard input, output and error that is closed. The next file would get its number, and what
  /// is printed or logged would be written into the store.
  static func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest number that is free, which is this one.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
    }
  }

  /// Has the signals do nothing that would end a process which did not ask for them: somebody's `kill -USR1`, as other servers
  /// reopen their logs by, and the limit on a file's size, which is an error of the write as well.
  ///
  /// They are caught rather than ignored, since a child inherits what is ignored.
  static func catchStraySignals() {
    for number in [SIGUSR1, SIGUSR2, SIGXFSZ] { _ = signal(number) { _ in } }
  }
}
