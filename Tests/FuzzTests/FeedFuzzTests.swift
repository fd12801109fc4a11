import Storage
import Testing

@testable import Receiver

@Suite("Fuzzing the feed's readers", .timeLimit(.minutes(5)))
struct FeedFuzzTests {
  static let mutator = Mutator(
    tokens: [
      "after=", "limit=", "wait=", "&", "=", "&&", "0a1b2c3d-17", "00000000-0", "ffffffff-9223372036854775807",
      "-9223372036854775808", "99999999", "999999999", "1000000000", "%3D", "+", "-", " ", "A", "١",
    ].map { Array($0.utf8) })

  @Test func `A damaged cursor is taken exactly when it is one that is given out`() {
    FuzzRun.inputs(5_000) { random in
      var text: [UInt8] = []
      FeedCursor(
        epoch: random.oneIn(4) ? random.pick([0, .max]) : UInt32(truncatingIfNeeded: random.next()),
        seq: random.oneIn(4) ? random.pick([0, 9, 10, .max]) : Int64(random.next() >> UInt64(1 + random.below(62)))
      ).append(to: &text)
      if !random.oneIn(4) { Self.mutator.mutate(&text, &random) }
      return (text, FeedCheck.cursorViolation(text))
    }
  }

  @Test func `A damaged query is taken exactly when each parameter is given once at most, with a value of its kind`() {
    let queries = [
      "", "after=0a1b2c3d-17", "after=&limit=5", "limit=1000&wait=50", "wait=0&after=00000000-0&limit=1", "limit=1&",
    ].map { Array($0.utf8) }
    FuzzRun.inputs(5_000) { random in
      var query = random.pick(queries)
      if !random.oneIn(8) { Self.mutator.mutate(&query, &random) }
      return (query, FeedCheck.queryViolation(query))
    }
  }
}
