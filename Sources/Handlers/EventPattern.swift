/// Which events a handler wants: an exact name, or a name that ends in `*` and stands for all that begin so (`user.session.*`, `*`).
public struct EventPattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let prefix: String?

  public init(_ text: String) {
    description = text
    prefix = text.hasSuffix("*") ? String(text.dropLast()) : nil
  }

  public func matches(_ eventName: String) -> Bool {
    if let prefix { eventName.hasPrefix(prefix) } else { eventName == description }
  }

  /// The events that revoke a session: what a handler gets unless it asks for others.
  public static let sessionRevocations = [
    EventPattern("user.session.revoked"), EventPattern("admin.user.session.revoked"),
    EventPattern("operator.session.revoked"),
  ]
}
