/// What forward-auth asks of a request.
public struct ForwardAuthConfiguration: Sendable {
  /// The cookie that may carry the JWT; `nil`: none is read.
  public var cookie: String? = "DYNAMIC_JWT_TOKEN"

  public init() {}
}
