import DynamicEvents
import Storage
import Testing

@testable import Handlers
@testable import RevocationStore

@Suite(.timeLimit(.minutes(1))) struct LaneWorkTests {
  private func event(_ seq: Int64) -> StoredEvent {
    StoredEvent(seq: seq, name: "a", body: [], receivedAt: Timestamp(milliseconds: 0))
  }

  @Test func `retries and fresh events take turns, each in their order`() {
    var work = LaneWork()
    work.add(fresh: [11, 12, 13].map(event))
    work.add(due: [1, 2].map { DueDelivery(event: event($0), attempts: Int($0)) })
    work.add(fresh: [14, 15].map(event))
    var items: [LaneWork.Item] = []
    while let item = work.next() { items.append(item) }
    #expect(items.map(\.event.seq) == [1, 11, 2, 12, 13, 14, 15])
    #expect(items.map(\.hasRow) == [true, false, true, false, false, false, false])
    #expect(items.map(\.failedBefore) == [1, 0, 2, 0, 0, 0, 0])
  }
}
