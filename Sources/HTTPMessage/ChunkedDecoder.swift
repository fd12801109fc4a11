/// The chunked transfer coding (RFC 9112 §7.1), resumable at every byte.
///
/// Exactly the grammar, since leniency has been used for smuggling: a size is 1 to 16 hexadecimal digits (no bare LF,
/// no sign, no `0x`), white space stands only where an extension follows. Extensions and trailers are checked and
/// dropped.
struct ChunkedDecoder: Sendable {
  private enum State: Sendable {
    /// Digits read so far, and their value.
    case size(digits: Int, value: Int)
    case chunkExtension(ChunkExtension, value: Int)
    case sizeLineFeed(value: Int)
    case data(remaining: Int)
    case dataCarriageReturn
    case dataLineFeed
    case trailer
    case finished
  }

  private var state = State.size(digits: 0, value: 0)
  /// Bytes that were no content: sizes, extensions, trailers, line ends.
  private var overhead = 0
  private var content = 0
  /// A line of the trailer section, kept until it is whole.
  private var trailerLine: [UInt8] = []
  private let limits: MessageLimits

  init(limits: MessageLimits) {
    self.limits = limits
  }

  /// Decodes what it can and appends the content to `storage`. Stops after the last line of the trailer section: the
  /// bytes after
  /// `consumed` belong to the next request.
  mutating func decode(
    _ input: Span<UInt8>, into storage: inout [UInt8]
  ) throws(RequestError) -> (consumed: Int, finished: Bool) {
    var index = 0
    while index < input.count {
      if case .data(let remaining) = state {
        let taken = min(remaining, input.count - index)
        reserve(taken, in: &storage)
        storage.append(contentsOf: input.extracting(index..<index + taken))
        content += taken
        index += taken
        state = taken == remaining ? .dataCarriageReturn : .data(remaining: remaining - taken)
        continue
      }
      state = try next(input[index])
      index += 1
      overhead += 1
      // One-byte chunks cost five bytes of overhead each, and are allowed: eight. Beyond that the peer sends extensions
      // or trailers instead of content, and gets one head's worth of them (CVE-2023-39326).
      guard overhead <= limits.headBytes + 8 * content else { throw .bad("the chunks are mostly overhead") }
      if case .finished = state { return (index, true) }
    }
    return (index, false)
  }

  /// Doubles like any array, but never past what the limits allow: the memory of a connection has a bound that can be
  /// told.
  private func reserve(_ count: Int, in storage: inout [UInt8]) {
    guard storage.capacity - storage.count < count else { return }
    let most = storage.count - content + limits.bodyBytes
    storage.reserveCapacity(min(max(2 * storage.capacity, storage.count + count), most))
  }

  private mutating func next(_ byte: UInt8) throws(RequestError) -> State {
    switch state {
    case .size(let digits, let value):
      if let digit = byte.hexDigitValue {
        // 16 digits could overflow an Int; the bound below refuses long before that, except behind leading zeros.
        guard digits < 16 else { throw .bad("a chunk size is too long") }
        let size = value * 16 + Int(digit)
        guard size <= limits.bodyBytes - content else {
          throw .contentTooLarge
        }
        return .size(digits: digits + 1, value: size)
      }
      guard digits > 0 else { throw .bad("a chunk size is not a hexadecimal number") }
      if byte == 0x0d { return .sizeLineFeed(value: value) }
      guard let start = ChunkExtension.value.next(byte) else { throw .bad("a chunk size is not a hexadecimal number") }
      return .chunkExtension(start, value: value)
    case .chunkExtension(let place, let value):
      if byte == 0x0d, place.mayEnd { return .sizeLineFeed(value: value) }
      guard let next = place.next(byte) else { throw .bad("a chunk extension is malformed") }
      return .chunkExtension(next, value: value)
    case .sizeLineFeed(let value):
      guard byte == 0x0a else { throw .bad("a chunk size does not end in CRLF") }
      return value == 0 ? .trailer : .data(remaining: value)
    case .dataCarriageReturn:
      guard byte == 0x0d else { throw .bad("a chunk does not end in CRLF") }
      return .dataLineFeed
    case .dataLineFeed:
      guard byte == 0x0a else { throw .bad("a chunk does not end in CRLF") }
      return .size(digits: 0, value: 0)
    case .trailer:
      // The overhead's bound grows with the content; memory must not.
      guard trailerLine.count < limits.headBytes else {
        throw RequestError(.headerFieldsTooLarge, "a trailer line is longer than the server accepts")
      }
      trailerLine.append(byte)
      guard byte == 0x0a else { return .trailer }
      var reader = LineReader()
      defer { trailerLine = [] }
      switch try reader.fieldLine(trailerLine.span) {
      case .end: return .finished
      case .field: return .trailer
      case .needsMore: throw .bad("a trailer line is malformed")
      }
    case .data, .finished:
      return state
    }
  }
}

/// A place within `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 §7.1.1), behind the size.
private enum ChunkExtension: Sendable {
  /// White space before a semicolon: what follows must be one.
  case beforeSemicolon
  case beforeName
  case name
  case behindName
  case beforeValue
  /// A token; behind the size and behind the closing quote the same may follow.
  case token
  case quoted
  case escaped
  case value

  /// Whether the line may end here. White space before its end belongs to no extension.
  var mayEnd: Bool {
    switch self {
    case .name, .token, .value: true
    default: false
    }
  }

  /// `nil` when the byte may not stand here.
  func next(_ byte: UInt8) -> ChunkExtension? {
    let isSpace = byte == 0x20 || byte == 0x09
    let isToken = ByteClass.token.contains(byte)
    switch self {
    case .value, .beforeSemicolon: return byte == 0x3b ? .beforeName : isSpace ? .beforeSemicolon : nil
    case .token where isToken: return .token
    case .token: return ChunkExtension.value.next(byte)
    case .beforeName: return isToken ? .name : isSpace ? .beforeName : nil
    case .name where isToken: return .name
    case .name, .behindName:
      return byte == 0x3d ? .beforeValue : byte == 0x3b ? .beforeName : isSpace ? .behindName : nil
    case .beforeValue: return byte == 0x22 ? .quoted : isToken ? .token : isSpace ? .beforeValue : nil
    case .quoted: return byte == 0x22 ? .value : byte == 0x5c ? .escaped : byte.isFieldContent ? .quoted : nil
    case .escaped: return byte.isFieldContent ? .quoted : nil
    }
  }
}
