/// A body that is made while it is sent, one part after another: for what is too long to hold.
package protocol ResponseBody: AnyObject, Sendable {
  /// Appends the next part, whose size has a bound of the body's own; it may be empty. Called again once the peer's
  /// socket has taken it.
  func appendNext(to output: inout [UInt8]) -> BodyProgress
}

package enum BodyProgress: Sendable {
  case more
  /// That was the last part.
  case last
  /// The rest cannot be made. The peer has to learn that it did not get everything: the connection ends without the
  /// last chunk (RFC 9112 §8).
  case failed
}
