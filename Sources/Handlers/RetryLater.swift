/// Thrown by a handler that knows when another attempt makes sense: not before `pause` has passed, an hour at most.
public struct RetryLater: Error, Sendable, CustomStringConvertible {
  /// One line for the person who looks at the failure. No secrets: it is stored and shown.
  public let description: String
  public let pause: Duration

  public init(_ reason: String, after pause: Duration) {
    description = reason
    self.pause = pause
  }
}
