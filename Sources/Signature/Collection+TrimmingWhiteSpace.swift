extension BidirectionalCollection<UInt8> {
  /// Without spaces, tabs, carriage returns and line feeds at either end.
  func trimmingWhiteSpace() -> SubSequence {
    let isWhiteSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    var rest = drop(while: isWhiteSpace)
    while let last = rest.last, isWhiteSpace(last) { rest.removeLast() }
    return rest
  }
}
