internal import Bytes
internal import Dispatch
internal import HTTPMessage
internal import Logging
internal import Signature
internal import Synchronization

/// The requests that are refused for their form, before a signature is looked at: a delivery among them is one that
/// gets lost, and nothing else would say so.
///
/// Anybody can cause them. So each kind has a line of its own, one a second at most where a signature stood in the
/// request and one a minute where none did.
final class Refusals: Sendable {
  private struct Kind: Hashable {
    let code: UInt16
    let hasSignature: Bool
  }

  private let logger: Logger
  private let path: String
  private let logs = Mutex<[Kind: ThrottledLog]>([:])
  private let deliveries = Mutex<[UInt16: Int]>([:])

  init(_ logger: Logger, path: String) {
    self.logger = logger
    self.path = path
  }

  /// Those with a signature, by status code: all that there can be, so that a rate has a beginning.
  var counts: [(code: UInt16, count: Int)] {
    let counts = deliveries.withLock { $0 }
    return [400, 404, 405, 408, 413, 414, 417, 431, 501, 505].map { ($0, counts[$0] ?? 0) }
  }

  /// - Parameters:
  ///   - bytes: of the request, as far as they came.
  ///   - target: its path, where it was read. Not the query, which may hold a secret.
  ///   - detail: a fixed sentence.
  func add(_ status: Status, _ bytes: Span<UInt8>, target: Span<UInt8>? = nil, detail: String? = nil) {
    let hasSignature = bytes.extracting(0..<min(bytes.count, 65_536)).contains(field: SignatureHeader.name)
    if hasSignature { deliveries.withLock { $0[status.code, default: 0] += 1 } }
    var metadata: Logger.Metadata = ["status": .stringConvertible(Int(status.code))]
    if let detail { metadata["reason"] = "\(detail)" }
    if status == .notFound, hasSignature, let target {
      metadata["path"] = "\(String(decoding: target.bytesCopied.prefix(128), as: UTF8.self))"
      metadata["expected"] = "\(path)"
    }
    log(Kind(code: status.code, hasSignature: hasSignature)).failed(
      "\(hasSignature ? "a delivery with a signature" : "a request") was refused: \(Self.advice(status))", metadata)
  }

  private func log(_ kind: Kind) -> ThrottledLog {
    logs.withLock { logs in
      if let log = logs[kind] { return log }
      let log = ThrottledLog(logger, .warning, pause: kind.hasSignature ? .seconds(1) : .seconds(60))
      logs[kind] = log
      return log
    }
  }

  private static func advice(_ status: Status) -> String {
    switch status {
    case .notFound: "it was sent to another path. Compare the URL in Dynamic's dashboard with `path`"
    case .methodNotAllowed: "only POST is taken. A redirect in front turns a POST into a GET"
    case .contentTooLarge: "its body is larger than `limits.body`"
    case .uriTooLong, .headerFieldsTooLarge: "its head is larger than `limits.header`, or has more than 100 fields"
    case .requestTimeout: "it did not arrive within `timeouts.header` and `timeouts.body`"
    default: "it is not HTTP/1.1 as it is taken here. Look at what stands in front"
    }
  }
}

extension Span<UInt8> {
  /// Whether a field of this name, in lower case, seems to stand in a head that may be malformed.
  fileprivate func contains(field name: StaticString) -> Bool {
    let length = name.utf8CodeUnitCount
    guard count > length else { return false }
    for start in 0..<count - length where self[start] | 0x20 == UInt8(ascii: "x") && self[start + length] == 0x3A {
      if extracting(start..<start + length).equals(ignoringCase: name) { return true }
    }
    return false
  }
}
