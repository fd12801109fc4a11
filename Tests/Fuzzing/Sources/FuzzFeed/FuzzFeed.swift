/// The first byte chooses between a cursor of the feed and a query.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFeed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer lends `count` bytes at `start` for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let rest = Array(input.dropFirst())
  let violation = choice % 2 == 0 ? FeedCheck.cursorViolation(rest) : FeedCheck.queryViolation(rest)
  if let violation { fatalError("\(violation)\ninput: \(rest)") }
  return 0
}
