public import HTTPMessage

/// What one listener grants its peers. Every bound that a peer can reach stands here with its reason.
public struct ServerLimits: Sendable, Equatable {
  /// Bytes and fields of one message.
  public var message = MessageLimits()
  /// Open connections; beyond them a new one is accepted and closed, so that the peer learns at once.
  public var connections = 4096
  /// From a request's first byte to the end of its head. Absolute: a byte a second does not extend it.
  public var headerTimeout: Duration = .seconds(10)
  /// From the end of the head to the end of the body. Absolute.
  public var bodyTimeout: Duration = .seconds(10)
  /// Between requests. Longer than the idle time of the proxies in front (nginx: 60 s), so that they close first and
  /// never write into a connection that we have just closed.
  public var idleTimeout: Duration = .seconds(75)
  /// From a reply's first unsent byte to its last.
  public var writeTimeout: Duration = .seconds(10)
  /// After an error reply we read and discard, so that a RST does not destroy the reply in the peer's receive buffer.
  /// Absolute; the bytes are bounded by `lingeringBytes`.
  public var lingeringTimeout: Duration = .seconds(2)
  /// A peer that still sends after this much is cut off.
  public var lingeringBytes = 262_144

  public init() {}
}
