/// A failed delivery whose time for another attempt has come.
package struct DueDelivery: Hashable, Sendable {
  package var event: StoredEvent
  /// How often it failed.
  package var attempts: Int
}
