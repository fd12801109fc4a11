#if PostgreSQL
  import Foundation
  import PostgreSQLStore
  import Storage
  import Synchronization
  import TestSupport

  /// A thread for each of some nodes, which has one new event after the other appended, each until it is acknowledged.
  final class Writers: Sendable {
    private let group = DispatchGroup()
    private let isOver = Atomic(false)
    private let state = Mutex((acknowledged: [UInt64](), failures: [StoreError]()))

    init(_ nodes: [PostgreSQLStore]) {
      for (index, node) in nodes.enumerated() {
        group.enter()
        Thread.detachNewThread {
          var number = UInt64(index + 1) << 32
          while !self.isOver.load(ordering: .relaxed) {
            number += 1
            _ = eventually { self.isOver.load(ordering: .relaxed) || self.append(number, to: node) }
          }
          self.group.leave()
        }
      }
    }

    private func append(_ number: UInt64, to node: PostgreSQLStore) -> Bool {
      do throws(StoreError) {
        guard let event = try? IncomingEvent.revoking(number) else { return false }
        // It may have been stored before it failed.
        guard [[.accepted], [.duplicate]].contains(try node.append([event])) else { return false }
        state.withLock { $0.acknowledged.append(number) }
        return true
      } catch {
        state.withLock { $0.failures.append(error) }
        return false
      }
    }

    func latest(_ count: Int) -> [UInt64] { state.withLock { Array($0.acknowledged.suffix(count)) } }

    /// Returns whether a hundred more are acknowledged in time.
    func goOn() -> Bool {
      let before = state.withLock { $0.acknowledged.count }
      return eventually { state.withLock { $0.acknowledged.count } >= before + 100 }
    }

    /// Ends the threads. Returns all that was acknowledged, and why some was not at once.
    @discardableResult
    func end() -> (acknowledged: [UInt64], failures: [StoreError]) {
      isOver.store(true, ordering: .relaxed)
      group.wait()
      return state.withLock { $0 }
    }
  }
#endif
