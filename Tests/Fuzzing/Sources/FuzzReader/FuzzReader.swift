@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  // The cuts come from the bytes, so that an input is the same run each time.
  var random = SplitMix(seed: input.reduce(UInt64(count)) { $0 &* 0x100_0000_01b3 ^ UInt64($1) })
  for limits in ReaderCheck.allLimits {
    if let violation = ReaderCheck.violation(input, limits: limits, &random) {
      fatalError("\(violation)\ninput: \(input.escaped)")
    }
  }
  return 0
}
