import HTTPMessage

/// One thing that a stream of bytes turned out to be, in full: two readings of the same bytes must agree on all of it.
enum ReaderOutcome: Equatable {
  case request(Request)
  case refused(RequestError)
  /// The stream ended within a request.
  case incomplete

  struct Request: Equatable {
    let method: RequestHead.Method
    let path: [UInt8]
    let minorVersion: UInt8
    let framing: RequestHead.Framing
    let keepsAlive: Bool
    let expectsContinue: Bool
    let fields: [[UInt8]]
    let body: [UInt8]

    /// `nil` when a part of the head lies outside the head, or the body outside the bytes.
    init?(_ head: borrowing RequestHead, bytes: [UInt8], body: Range<Int>) {
      var slices = [head.path.range]
      for index in 0..<head.fieldCount {
        slices += [head.field(at: index).name.range, head.field(at: index).value.range]
      }
      guard head.byteCount <= bytes.count, slices.allSatisfy({ $0.upperBound <= head.byteCount }) else { return nil }
      guard body.lowerBound == head.byteCount, body.upperBound <= bytes.count else { return nil }
      method = head.method
      path = Array(bytes[head.path.range])
      minorVersion = head.minorVersion
      framing = head.framing
      keepsAlive = head.keepsAlive
      expectsContinue = head.expectsContinue
      fields = slices.dropFirst().map { Array(bytes[$0]) }
      self.body = Array(bytes[body])
    }
  }
}
