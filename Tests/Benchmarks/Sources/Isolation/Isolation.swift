import Foundation

/// What a handler that hangs and one that fails cost a third one: its time from an event's commit to its return, beside
/// them and alone, under the same load. In turns, so that what else the machine does falls on all.
///
/// Compared are medians of rounds. Three commits of 300 make a round's p99: of all rounds together, one pause of the
/// machine in one of them would be the p99 of its whole side.
@main struct Isolation {
  private static let rounds = 9

  static func main() async throws {
    var taken: [Neighbours: [Percentiles]] = [:]
    for _ in 0..<rounds {
      for neighbours in Neighbours.allCases {
        taken[neighbours, default: []].append(Percentiles(try await Run.latencies(beside: neighbours)))
      }
    }
    print("| the fast handler | p50 | p99 | lowest and highest p99 | ratio of p99 |\n|---|--:|--:|--:|--:|")
    let alone = median(taken[.none, default: []].map(\.p99))
    for neighbours in Neighbours.allCases {
      let rounds = taken[neighbours, default: []]
      let (p50, p99) = (median(rounds.map(\.p50)), median(rounds.map(\.p99)))
      let ends = [rounds.map(\.p99).min() ?? 0, rounds.map(\.p99).max() ?? 0].map(text).joined(separator: ", ")
      print("| \(neighbours.rawValue) | \(text(p50)) ms | \(text(p99)) ms | \(ends) ms | \(text(p99 / alone)) |")
    }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted[sorted.count / 2]
  }

  private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// Of times; in milliseconds.
struct Percentiles {
  let p50: Double
  let p99: Double

  init(_ times: [Duration]) {
    let sorted = times.map { $0 / .milliseconds(1) }.sorted()
    p50 = sorted[sorted.count / 2]
    p99 = sorted[sorted.count * 99 / 100]
  }
}
