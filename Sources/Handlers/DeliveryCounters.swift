package import Synchronization

/// How one handler's attempts ended since the process began.
package final class DeliveryCounters: Sendable {
  package let name: String
  package let delivered = Atomic<Int>(0)
  package let failed = Atomic<Int>(0)
  package let dead = Atomic<Int>(0)

  init(name: String) {
    self.name = name
  }
}
