/// The response to a request. Its head is whole; its body may have been cut.
package struct OutgoingResponse: Sendable {
  package let status: Int
  /// Up to the limit.
  package let body: [UInt8]
  /// Why the body is not whole: the peer ended it too soon, it is too long, or the time was over. `nil`: it is whole.
  package let cut: OutgoingError?
  /// Status line and fields as they came.
  private let head: [UInt8]

  init(status: Int, head: [UInt8], body: [UInt8], cut: OutgoingError?) {
    self.status = status
    self.head = head
    self.body = body
    self.cut = cut
  }

  /// The value of the first field of that name, without the white space around it.
  package func value(of name: String) -> String? {
    for line in head.split(separator: 0x0A).dropFirst() {
      guard let colon = line.firstIndex(of: 0x3A), colon - line.startIndex == name.utf8.count,
        zip(line, name.utf8).allSatisfy({ lowercased($0) == lowercased($1) })
      else { continue }
      let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
      let value = line[(colon + 1)...].drop(while: isSpace)
      let end = value.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? value.startIndex
      return String(decoding: value[..<end], as: UTF8.self)
    }
    return nil
  }

  private func lowercased(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

/// Why there is no response, or no whole one.
package struct OutgoingError: Error, Sendable, CustomStringConvertible {
  /// One line in printable ASCII. It names the host at most, never the rest of a URL.
  package let description: String
  /// Whether the peer may have got the request, or a part of it.
  package let mayHaveArrived: Bool
  package let isCancelled: Bool

  init(_ text: String, mayHaveArrived: Bool = false, isCancelled: Bool = false) {
    // A certificate's name comes from the peer.
    description = String(
      decoding: text.utf8.prefix(300).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    self.mayHaveArrived = mayHaveArrived
    self.isCancelled = isCancelled
  }
}
