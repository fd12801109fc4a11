/// The first byte chooses between an answer of Dynamic's API and the value of `Retry-After`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAnswer(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let rest = Array(input.dropFirst())
  let violation = choice % 8 == 0 ? RetryAfterCheck.violation(rest) : AnswerCheck.violation(rest)
  if let violation { fatalError("\(violation)\ninput: \(rest.escaped)") }
  return 0
}
