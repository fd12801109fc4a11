import Foundation

/// What a handler that hangs and one that fails cost a third one: its time from an event's commit to its return, beside them and alone, under the
/// same load. Both in turns, so that what else the machine does falls on both.
@main struct Isolation {
  private static let rounds = 5

  static func main() async throws {
    var alone: [Duration] = []
    var beside: [Duration] = []
    for _ in 0..<rounds {
      alone += try await Run.latencies(amongBadNeighbours: false)
      beside += try await Run.latencies(amongBadNeighbours: true)
    }
    print("| the fast handler | events | p50 | p99 |\n|---|--:|--:|--:|")
    let (first, second) = (Percentiles(alone), Percentiles(beside))
    print(
      "| alone | \(alone.count) | \(first) |\n| beside one that hangs and one that fails | \(beside.count) | \(second) |"
    )
    print("p99, ratio: \(second.p99 / first.p99)")
  }
}

/// Of times; in milliseconds.
struct Percentiles: CustomStringConvertible {
  let p50: Double
  let p99: Double

  init(_ times: [Duration]) {
    let sorted = times.map { $0 / .milliseconds(1) }.sorted()
    p50 = sorted[sorted.count / 2]
    p99 = sorted[sorted.count * 99 / 100]
  }

  var description: String { "\(Self.text(p50)) ms | \(Self.text(p99)) ms" }

  private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}
