internal import Outgoing
internal import Receiver
internal import Signature

extension Settings {
  /// A request to the running server's private listener, with the private token where one is configured; `nil` for a
  /// port that the kernel picked and that is not written down.
  func request(_ method: OutgoingRequest.Method, _ path: String) -> OutgoingRequest? {
    guard var request = OutgoingRequest(method, path, at: runningPrivateListener) else { return nil }
    if let token = receiver.privateToken {
      // A copy that goes with the request; the process ends soon.
      let text = token.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
      request.fields.append(("X-Revoked-Token", text))
    }
    return request
  }
}
