/// The sizes that a request may have. Beyond each, the answer is named by its status code.
public struct MessageLimits: Sendable, Equatable {
  /// Bytes of request line, fields and the empty line after them (431, or 414 when the request line alone exceeds it).
  /// At most 65,535: the parser keeps 16-bit offsets.
  public var headBytes = 16_384
  /// Field lines (431). Fixed: the table of fields is allocated once.
  public static let fields = 100
  /// Bytes of the body after its transfer coding is removed (413).
  public var bodyBytes = 262_144

  public init() {}
}
