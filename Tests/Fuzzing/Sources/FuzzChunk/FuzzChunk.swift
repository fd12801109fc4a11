/// What stands behind a chunk's size.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunk(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  if let violation = ChunkCheck.violation(input) { fatalError("\(violation)\ninput: \(input.escaped)") }
  return 0
}
