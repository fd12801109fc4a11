/// The first byte chooses between the configuration file and `serve.json`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSettings(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let rest = Array(input.dropFirst())
  let violation = choice % 4 == 0 ? AddressFileCheck.violation(rest) : SettingsCheck.violation(rest)
  if let violation { fatalError("\(violation)\ninput: \(rest)") }
  return 0
}
