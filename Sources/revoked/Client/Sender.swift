internal import Foundation
internal import Outgoing
internal import Signature

/// Posts signed events to a receiver.
struct Sender: Sendable {
  struct Answer: Sendable {
    /// nil: no answer came.
    var status: Int?
    /// The answer's body, or why there was none, as a terminal may show it.
    var text: String
    var duration: Duration
  }

  private var request: OutgoingRequest

  init(_ request: OutgoingRequest) {
    self.request = request
    // Dynamic gives up after about as long.
    self.request.limits.time = .seconds(15)
  }

  func send(_ body: [UInt8], signature: String) async -> Answer {
    var request = request
    request.body = body
    request.fields = [
      ("Content-Type", "application/json"), (SignatureHeader.name.description, signature),
      ("User-Agent", "revoked send"),
    ]
    let start = ContinuousClock.now
    do throws(OutgoingError) {
      let response = try await HTTPClient.shared.response(to: request)
      var text = String(decoding: response.body.prefix(2000), as: UTF8.self).visibleLine
      if let cut = response.cut { text += " [cut: \(cut)]" }
      return Answer(status: response.status, text: text, duration: start.duration(to: .now))
    } catch {
      return Answer(status: nil, text: error.description, duration: start.duration(to: .now))
    }
  }
}

extension String {
  /// Without the white space around it, and on one line.
  var visibleLine: String { trimmingCharacters(in: .whitespacesAndNewlines).visible() }
}
