/// Finds one request after another in what a connection receives. A pure value: no clock, no socket.
///
/// A request that arrives in one read is left where it is and costs no copy. One that comes in pieces is gathered in
/// `storage`: head and decoded body, one behind the other, at most `headBytes + bodyBytes`.
package struct RequestReader: Sendable {
  package enum Event: Sendable, Equatable {
    /// Everything was consumed, and it was not enough.
    case needsMore
    /// The head is whole and good, its body is to come: the moment to refuse early, or to send `100 Continue`.
    case head
    /// As `head`, but the body is longer than the limits allow and will not be read: the next step throws.
    case tooLarge
    /// A whole request: the first `headCount` bytes are its head, `body` its content, both in `storage` or both in the
    /// input.
    case request(body: Range<Int>, inStorage: Bool)
  }

  private enum State: Sendable {
    case head(scanned: Int, judgedLine: Bool)
    case sized(remaining: Int)
    case chunked
    case tooLarge
  }

  /// What was gathered of the present request.
  package private(set) var storage: [UInt8] = []
  private var headCount = 0
  private var decoder: ChunkedDecoder
  private let limits: MessageLimits
  private var state = State.head(scanned: 0, judgedLine: false)

  package init(limits: MessageLimits) {
    self.limits = limits
    decoder = ChunkedDecoder(limits: limits)
  }

  /// False when a request has begun and is not whole.
  package var isEmpty: Bool { storage.isEmpty }

  /// Takes the next step over `input`, of which `consumed` bytes are used up. `head` is filled when the event is
  /// `.head` or `.request`.
  package mutating func next(
    _ input: Span<UInt8>, head: inout RequestHead
  ) throws(RequestError) -> (consumed: Int, event: Event) {
    switch state {
    case .head(let scanned, let judgedLine):
      storage.isEmpty
        ? try begin(input, &head) : try continueHead(input, &head, scanned: scanned, judgedLine: judgedLine)
    case .sized(let remaining):
      try gather(input, &head, remaining: remaining)
    case .chunked:
      try decode(input, &head)
    case .tooLarge:
      throw .contentTooLarge
    }
  }

  /// Forgets the request that was handled; of one that was left in the input there is nothing to forget.
  package mutating func finish() {
    if !storage.isEmpty { storage = [] }
    state = .head(scanned: 0, judgedLine: false)
  }

  private mutating func begin(
    _ input: Span<UInt8>, _ head: inout RequestHead
  ) throws(RequestError) -> (consumed: Int, event: Event) {
    guard try head.parse(input, limits: limits) == .complete else {
      storage.append(contentsOf: input)
      state = .head(scanned: input.count, judgedLine: HeadEnd.search(input, from: 0).sawLine)
      return (input.count, .needsMore)
    }
    if case .length(let length) = head.framing, length <= limits.bodyBytes, input.count - head.byteCount >= length {
      let end = head.byteCount + length
      return (end, .request(body: head.byteCount..<end, inStorage: false))
    }
    storage.append(contentsOf: input.extracting(0..<head.byteCount))
    return (head.byteCount, enterBody(head))
  }

  private mutating func continueHead(
    _ input: Span<UInt8>, _ head: inout RequestHead, scanned: Int, judgedLine: Bool
  ) throws(RequestError) -> (consumed: Int, event: Event) {
    // One byte over the limit is enough to know that it is exceeded.
    let taken = min(input.count, limits.headBytes + 1 - storage.count)
    storage.append(contentsOf: input.extracting(0..<taken))
    let search = HeadEnd.search(storage.span, from: scanned)
    // After an empty line, or half of one, the first byte of the request line is judged as soon as it is there.
    let lineToJudge = !judgedLine && (search.sawLine || scanned <= 2)
    if search.end == nil, !lineToJudge, storage.count < limits.headBytes {
      state = .head(scanned: storage.count, judgedLine: judgedLine)
      return (taken, .needsMore)
    }
    guard try head.parse(storage.span, limits: limits) == .complete else {
      state = .head(scanned: storage.count, judgedLine: judgedLine || search.sawLine)
      return (taken, .needsMore)
    }
    // What lies behind the head came with this input: before it, the head was not whole.
    let excess = storage.count - head.byteCount
    storage.removeLast(excess)
    return (taken - excess, enterBody(head))
  }

  private mutating func enterBody(_ head: borrowing RequestHead) -> Event {
    headCount = head.byteCount
    switch head.framing {
    case .length(0): return .request(body: headCount..<headCount, inStorage: true)
    case .length(let length) where length > limits.bodyBytes:
      state = .tooLarge
      return .tooLarge
    case .length(let length):
      // Bounded by `bodyBytes`, and untouched memory costs nothing until the bytes come.
      storage.reserveCapacity(headCount + length)
      state = .sized(remaining: length)
    case .chunked:
      decoder = ChunkedDecoder(limits: limits)
      state = .chunked
    }
    return .head
  }

  private mutating func gather(
    _ input: Span<UInt8>, _ head: inout RequestHead, remaining: Int
  ) throws(RequestError) -> (consumed: Int, event: Event) {
    let taken = min(remaining, input.count)
    storage.append(contentsOf: input.extracting(0..<taken))
    guard taken == remaining else {
      state = .sized(remaining: remaining - taken)
      return (taken, .needsMore)
    }
    return (taken, try complete(&head))
  }

  private mutating func decode(
    _ input: Span<UInt8>, _ head: inout RequestHead
  ) throws(RequestError) -> (consumed: Int, event: Event) {
    let (consumed, finished) = try decoder.decode(input, into: &storage)
    return (consumed, finished ? try complete(&head) : .needsMore)
  }

  /// The head was parsed when it came; other connections have used `head` since.
  private mutating func complete(_ head: inout RequestHead) throws(RequestError) -> Event {
    _ = try head.parse(storage.span.extracting(0..<headCount), limits: limits)
    return .request(body: headCount..<storage.count, inStorage: true)
  }
}

/// The sizes that a request may have. Beyond each, the answer is named by its status code.
public struct MessageLimits: Sendable, Equatable {
  /// Bytes of request line, fields and the empty line after them (431, or 414 when the request line alone exceeds it).
  /// At most 65,535: the parser keeps 16-bit offsets.
  public var headBytes = 16_384
  /// Field lines (431). Fixed: the table of fields is allocated once.
  public static let fields = 100
  /// Bytes of the body after its transfer coding is removed (413).
  public var bodyBytes = 262_144

  public init() {}
}
