import HTTPMessage
import Testing

@Suite("Fuzzing the request reader", .timeLimit(.minutes(5)))
struct ReaderFuzzTests {
  @Test(arguments: ReaderCheck.allLimits)
  func `Whatever bytes come and however they are cut, the reader keeps its word`(limits: MessageLimits) {
    FuzzRun.inputs(20_000) { random in
      let stream = RequestCorpus.stream(&random)
      return (stream, ReaderCheck.violation(stream, limits: limits, &random))
    }
  }

  @Test func `What follows a chunk's size is taken exactly when the grammar of extensions has it`() {
    let mutator = Mutator(
      tokens: [";", "=", "\"", "\\", " ", "\t", ";x=y", "; q=\"a;b\\\"c\"", "a", ",", "\u{e9}"].map { Array($0.utf8) })
    let tails = ["", ";x", ";x=y", " ; x = y", ";x=\"q\"", ";a;b=\"\\\"\";c = d"].map { Array($0.utf8) }
    FuzzRun.inputs(5_000) { random in
      var tail = random.pick(tails)
      if !random.oneIn(8) { mutator.mutate(&tail, &random) }
      return (tail, ChunkCheck.violation(tail))
    }
  }
}
