internal import Subprocess

/// The first 4 KiB of what a command prints. The rest is read, so that the command can go on, and dropped: a log is no place for it.
struct BoundedOutput {
  private static let bound = 4096

  private var kept: [UInt8] = []
  private var dropped = 0

  var isEmpty: Bool { kept.isEmpty }

  mutating func append(_ bytes: SubprocessOutputSequence.Buffer) {
    let taken = min(bytes.count, Self.bound - kept.count)
    // Copied at once; the buffer is the library's.
    unsafe bytes.withUnsafeBytes { bytes in unsafe kept.append(contentsOf: bytes.prefix(taken)) }
    // A command may print for as long as its deadline allows.
    dropped = dropped.addingReportingOverflow(bytes.count - taken).partialValue
  }

  /// Without the line end at its end, and with what is not UTF-8 replaced.
  var text: String {
    var text = String(decoding: kept, as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return dropped == 0 ? text : "\(text)… (\(dropped) bytes more)"
  }
}
