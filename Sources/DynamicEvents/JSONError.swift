/// Why bytes are not JSON (RFC 8259) as we take it. Holds no byte of the input, so it may be logged.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  /// Where the reader stopped, in bytes from the beginning.
  public let offset: Int
  public let reason: Reason

  public enum Reason: String, Sendable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "a byte that may not stand here"
    case byteOrderMark = "a byte order mark"
    case controlCharacter = "a control character inside a string"
    case invalidEscape = "an escape that does not exist"
    case invalidUTF8 = "a string that is not UTF-8"
    case invalidNumber = "a malformed number"
    case trailingBytes = "bytes after the value"
  }

  public var description: String { "at byte \(offset): \(reason.rawValue)" }
}
