import TestSupport
import Testing

@Suite("Requests are found in a stream of bytes", .timeLimit(.minutes(2)))
struct WireCaseTests {
  @Test func `the fixtures are whole, many, and each names its RFC`() throws {
    let cases = try WireCase.loaded.get()
    #expect(cases.count >= 200)
    #expect(Set(cases.map(\.title)).count == cases.count, "a title stands twice")
    for example in cases where !example.title.contains(#/ \(RFC \d{4} §\d+(\.\d+)*\)$/#) {
      example.report(["the title names no section"])
    }
  }

  @Test(arguments: WireCase.all)
  func `as the RFCs say, however the bytes are cut`(_ example: WireCase) {
    let wire = example.wire
    var failures: [String] = []
    func check(_ cut: String, _ outcomes: [Outcome]) {
      let outcomes = outcomes.map(\.description)
      if outcomes != example.outcomes { failures.append("\(cut): \(outcomes)") }
    }
    check("in one piece", Reading.outcomes([wire[...]]))
    for cut in wire.indices.dropFirst() {
      check("cut at \(cut)", Reading.outcomes([wire[..<cut], wire[cut...]]))
    }
    check("byte by byte", Reading.outcomes(trickled: wire))
    for seed in UInt64(1)...8 {
      var random = SplitMix(seed: seed)
      check("in pieces of seed \(seed)", Reading.outcomes(random.pieces(of: wire, count: 2 + Int(seed))))
    }
    example.report(failures)
  }

  @Test(arguments: WireCase.all)
  func `as the reference parser says`(_ example: WireCase) {
    let outcomes = ReferenceParser.outcomes(example.wire).map(\.description)
    example.report(outcomes == example.outcomes ? [] : ["\(outcomes)"])
  }
}
