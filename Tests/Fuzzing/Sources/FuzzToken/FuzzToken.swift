/// The first byte chooses the reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzToken(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let reader = GateCheck.allCases[Int(choice) % GateCheck.allCases.count]
  if let violation = reader.violation(Array(input.dropFirst())) {
    fatalError("\(reader): \(violation)\ninput: \(input.escaped)")
  }
  return 0
}
