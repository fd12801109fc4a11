/// Where an event came from.
package enum EventSource: String, Hashable, Sendable, CaseIterable {
  /// A delivery that Dynamic signed.
  case webhook
  /// A message that Dynamic signed and could not deliver, fetched from its API.
  case message
  /// An event that never became a message, fetched from its API over verified TLS.
  case event
  /// An operator's order.
  case `operator`
}
