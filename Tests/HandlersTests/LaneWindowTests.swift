import Testing

@testable import Handlers

@Suite(.timeLimit(.minutes(1))) struct LaneWindowTests {
  @Test func `the position stays before the first event that is not over`() {
    var window = LaneWindow(position: 10)
    #expect(window.position == 10)
    // 12 and 15 are no handler's: they could not be decoded.
    window.append([11, 13, 14], end: 15)
    #expect(window.position == 10)
    window.finish(13)
    #expect(window.position == 10)
    #expect(window.repeatable == 1)
    window.finish(11)
    #expect(window.position == 13)
    #expect(window.repeatable == 0)
    window.finish(14)
    #expect(window.position == 15)
    window.append([], end: 20)
    #expect(window.position == 20)
  }

  @Test func `what is over twice, or was never read, changes nothing`() {
    var window = LaneWindow(position: 0)
    window.append([1, 2, 4], end: 4)
    for event: Int64 in [2, 2, 3, 0, 9] { window.finish(event) }
    #expect(window.position == 0)
    #expect(window.repeatable == 1)
  }
}
