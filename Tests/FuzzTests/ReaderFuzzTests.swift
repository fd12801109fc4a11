import HTTPMessage
import Testing

@Suite struct ReaderFuzzTests {
  @Test("Whatever bytes come and however they are cut, the reader keeps its word", arguments: ReaderCheck.allLimits)
  func reader(limits: MessageLimits) {
    FuzzRun.inputs(20_000) { random in
      let stream = RequestCorpus.stream(&random)
      return (stream, ReaderCheck.violation(stream, limits: limits, &random))
    }
  }
}
