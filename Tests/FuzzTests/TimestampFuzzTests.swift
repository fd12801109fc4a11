import DynamicEvents
import Foundation
import Testing

@Suite("Fuzzing times", .timeLimit(.minutes(5)))
struct TimestampFuzzTests {
  /// Not compared, since Foundation differs: years before 1583, where its calendar is the Julian one; second 60 and
  /// offsets beyond 18 hours, which it refuses.
  @Test func `A valid time is the one that Foundation reads`() {
    FuzzRun.inputs(10_000) { random in
      let text = Self.text(&random)
      return (Array(text.utf8), Self.violation(text))
    }
  }

  @Test func `A damaged time is none, or one that can be written and read back`() {
    let mutator = Mutator(
      tokens: ["-", ":", ".", "Z", "+02:00", "-2359", "T", "t", "60", "000000000", "é"].map { Array($0.utf8) })
    FuzzRun.inputs(10_000) { random in
      var bytes = Array(Self.text(&random).utf8)
      mutator.mutate(&bytes, &random)
      guard let time = Timestamp(bytes.span) else { return (bytes, nil) }
      return (bytes, Timestamp(time.description) == time ? nil : "it is written as \(time)")
    }
  }

  private static func text(_ random: inout SplitMix) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    let date = [two(1 + random.below(12)), two(1 + random.below(28))].joined(separator: "-")
    let time = [two(random.below(24)), two(random.below(60)), two(random.below(60))].joined(separator: ":")
    let fraction = (0..<random.below(10)).map { _ in String(random.below(10)) }.joined()
    let offset = random.pick(["+", "-"]) + two(random.below(18)) + random.pick([":", ""]) + two(random.below(60))
    let zone = random.oneIn(2) ? "Z" : offset
    return "\(1584 + random.below(8400))-\(date)T\(time)" + (fraction.isEmpty ? "" : "." + fraction) + zone
  }

  private static func violation(_ text: String) -> String? {
    guard let time = Timestamp(text) else { return "refused" }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.utf8.contains(UInt8(ascii: ".")))
    guard let date = try? style.parse(text) else { return "Foundation refuses it" }
    // A Date's Double has 0.03 ms of room in the year 9999; what is finer than a millisecond is cut off.
    let cut = date.timeIntervalSince1970 * 1000 - Double(time.milliseconds)
    return (-0.1..<1.1).contains(cut) ? nil : "it is \(time), Foundation's is \(Timestamp(date))"
  }
}
