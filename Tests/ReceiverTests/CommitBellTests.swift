import Synchronization
import Testing

@testable import Receiver

/// A listener that is wrapped once more at each ring makes the first quadratic, which takes it minutes.
@Suite("The bell of commits", .timeLimit(.minutes(1)))
struct CommitBellTests {
  @Test("costs the same however often it was rung")
  func costsTheSame() {
    let rings = Atomic(0)
    let bell = CommitBell()
    bell.listen { rings.wrappingAdd(1, ordering: .relaxed) }
    for _ in 0..<200_000 { bell.ring() }
    #expect(rings.load(ordering: .relaxed) == 200_000)
  }

  @Test("rings for nobody until somebody listens")
  func nobodyListens() {
    let bell = CommitBell()
    bell.ring()
    let rings = Atomic(0)
    bell.listen { rings.wrappingAdd(1, ordering: .relaxed) }
    bell.ring()
    #expect(rings.load(ordering: .relaxed) == 1)
  }
}
