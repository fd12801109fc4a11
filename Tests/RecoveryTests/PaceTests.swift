import Testing

@testable import Recovery

@Suite("The pace of a run", .timeLimit(.minutes(1)))
struct PaceTests {
  @Test func `Alone it works a fifth of the time`() {
    var pace = Pace(isUrgent: false)
    #expect(pace.rest(after: .milliseconds(2)) == .milliseconds(8))
    pace.rested(.milliseconds(8), busy: .zero)
    #expect(pace.rest(after: .milliseconds(2)) == .milliseconds(8))
  }

  @Test(arguments: [(2, 47.2), (4, 86.4), (10, 204), (20, 400)])
  func `The more the store worked meanwhile, the longer it rests`(busy: Int, rest: Double) {
    var pace = Pace(isUrgent: false)
    pace.rested(.milliseconds(20), busy: .milliseconds(busy))
    let found = pace.rest(after: .milliseconds(2))
    #expect(abs(found / .milliseconds(1) - rest) < 0.1)
  }

  @Test func `A rest without a delivery does not end the care at once`() {
    var pace = Pace(isUrgent: false)
    pace.rested(.milliseconds(20), busy: .milliseconds(20))
    var rests: [Duration] = []
    for _ in 0..<12 {
      rests.append(pace.rest(after: .milliseconds(1)))
      pace.rested(.milliseconds(1), busy: .zero)
    }
    #expect(rests == rests.sorted(by: >))
    #expect(rests[1] > .milliseconds(20))
    #expect(rests[11] < .milliseconds(5))
  }

  @Test func `A run that look-ups wait for rests as long as it works`() {
    var pace = Pace(isUrgent: true)
    pace.rested(.milliseconds(20), busy: .milliseconds(20))
    #expect(pace.rest(after: .milliseconds(7)) == .milliseconds(7))
  }

  @Test(arguments: [(Duration.zero, Duration.zero), (.milliseconds(1), .seconds(9)), (.seconds(9), .zero)])
  func `No rest is too short or too long`(rest: Duration, busy: Duration) {
    var pace = Pace(isUrgent: false)
    pace.rested(rest, busy: busy)
    #expect(pace.rest(after: .zero) == .milliseconds(1))
    #expect(pace.rest(after: .seconds(3600)) == .milliseconds(500))
  }
}
