@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEvent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let body = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  if let violation = EventCheck.violation(body) { fatalError("\(violation)\ninput: \(body.escaped)") }
  return 0
}
