import Foundation
import Outgoing
import TestSupport
import Testing

extension Endpoint {
  /// Has the endpoint answer so.
  func request(_ answer: [UInt8], _ fields: [String: String] = [:], https: Bool = false) -> OutgoingRequest {
    var request = OutgoingRequest(.post, "\(https ? "https" : "http")://127.0.0.1:\(port)/")
    request.body = answer
    request.fields = fields.map { ($0.key, $0.value) }
    request.limits.time = .seconds(10)
    if https { request.authorities = authority }
    return request
  }

  func request(_ answer: String, _ fields: [String: String] = [:], https: Bool = false) -> OutgoingRequest {
    request(Array(answer.utf8), fields, https: https)
  }

  /// Has the endpoint answer so, and lives that long.
  func response(_ answer: [UInt8], _ fields: [String: String] = [:]) async throws -> OutgoingResponse {
    defer { withExtendedLifetime(self) {} }
    return try await HTTPClient.shared.response(to: request(answer, fields))
  }

  func response(_ answer: String, _ fields: [String: String] = [:]) async throws -> OutgoingResponse {
    try await response(Array(answer.utf8), fields)
  }

  func counts(https: Bool = false) async throws -> Counts {
    var request = request("", https: https)
    request.method = .get
    request.isIdempotent = true
    request.url += "counts"
    return try JSONDecoder().decode(Counts.self, from: Data(await HTTPClient.shared.response(to: request).body))
  }
}

/// What came of an exchange, and how long it took.
struct Outcome {
  var response: OutgoingResponse?
  var error: OutgoingError?
  var time: Duration

  init(of request: OutgoingRequest) async {
    let start = ContinuousClock.now
    do throws(OutgoingError) {
      response = try await HTTPClient.shared.response(to: request)
    } catch {
      self.error = error
    }
    time = start.duration(to: .now)
  }

  /// Makes the exchanges, so many at a time, and hands over each outcome with its request's place.
  static func all(
    of requests: [OutgoingRequest], width: Int = 32, _ body: (Int, Outcome) -> Void
  ) async {
    await withTaskGroup(of: (Int, Outcome).self) { group in
      var next = 0
      func start() {
        guard next < requests.count else { return }
        let (place, request) = (next, requests[next])
        group.addTask { (place, await Outcome(of: request)) }
        next += 1
      }
      for _ in 0..<width { start() }
      while let (place, outcome) = await group.next() {
        body(place, outcome)
        start()
      }
    }
  }
}
