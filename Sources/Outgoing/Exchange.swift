internal import CCurl

/// One request and what has come of its response so far.
///
/// `continuation` is set before the exchange is handed to the loop. From then on the loop's thread alone touches what
/// changes, hence `@unchecked`.
final class Exchange: @unchecked Sendable {
  typealias Outcome = Result<OutgoingResponse, OutgoingError>

  let request: OutgoingRequest
  var continuation: CheckedContinuation<Outcome, Never>?
  var isCancelled = false
  /// While it runs.
  var handle: EasyHandle?

  private var attempts = 0
  /// Of the last head only; before it interim responses may have come.
  private var head: [UInt8] = []
  private var headBytes = 0
  private var isHeadWhole = false
  private var body: [UInt8] = []
  private var bodyBytes = 0
  private var excess: String?

  /// Throws when a field could be taken for more than one.
  init(_ request: OutgoingRequest) throws(OutgoingError) {
    for (name, value) in request.fields {
      guard !(name + value).unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F }) else {
        throw OutgoingError("a header field holds a control character")
      }
    }
    self.request = request
  }

  func end(_ outcome: Outcome) {
    continuation?.resume(returning: outcome)
    continuation = nil
  }

  // MARK: called by libcurl

  /// Before the request is sent, and before each time that libcurl would send it again because a kept connection ended
  /// without a byte. That is right once, and only when nothing arrives twice.
  func mayAttempt(_ handle: EasyHandle) -> Bool {
    attempts += 1
    return attempts == 1 || attempts == 2 && (request.isIdempotent || handle.bytesSent == 0)
  }

  /// A line of a head or of a trailer. False ends the exchange.
  func receiveHead(_ line: UnsafeRawBufferPointer, status: Int) -> Bool {
    headBytes += line.count
    guard headBytes <= request.limits.headBytes else {
      excess = "the head of the response is longer than \(request.limits.headBytes) bytes"
      return false
    }
    // A trailer.
    if isHeadWhole { return true }
    let isBlank = unsafe line.elementsEqual([0x0D, 0x0A]) || line.elementsEqual([0x0A])
    if !isBlank {
      unsafe head.append(contentsOf: line)
    } else if status >= 200 {
      isHeadWhole = true
    } else {
      head = []
    }
    return true
  }

  /// A piece of the body. False ends the exchange.
  func receiveBody(_ piece: UnsafeRawBufferPointer) -> Bool {
    let limits = request.limits
    let room = limits.bodyBytes - bodyBytes
    bodyBytes += min(piece.count, room)
    if limits.keepsBody { unsafe body.append(contentsOf: piece.prefix(room)) }
    guard piece.count <= room else {
      excess = "the body of the response is longer than \(limits.bodyBytes) bytes"
      return false
    }
    return true
  }

  func result(_ code: CURLcode, of handle: EasyHandle) -> Outcome {
    var failure: OutgoingError?
    if isCancelled {
      failure = OutgoingError("cancelled", mayHaveArrived: handle.bytesSent > 0, isCancelled: true)
    } else if let excess {
      failure = OutgoingError(excess, mayHaveArrived: true)
    } else if code != CURLE_OK {
      let text = attempts > 1 && code == CURLE_ABORTED_BY_CALLBACK ? "the connection ended without a response" : nil
      failure = handle.error(code, text)
    } else if !isHeadWhole {
      // libcurl takes what came of a head for all of it.
      failure = OutgoingError("the response ended within its head", mayHaveArrived: true)
    }
    if isHeadWhole {
      return .success(OutgoingResponse(status: handle.status, head: head, body: body, cut: failure))
    }
    return .failure(failure ?? OutgoingError("the response ended within its head", mayHaveArrived: true))
  }
}
