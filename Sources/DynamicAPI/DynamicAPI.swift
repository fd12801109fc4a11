internal import Foundation
package import Outgoing
package import Signature

/// Dynamic's REST API as one environment's token sees it.
///
/// Each call is bounded in time and size. It is tried again, a few times and ever later, on 429, 5xx and network
/// errors, but never when it could do something twice that must happen once.
package struct DynamicAPI: Sendable {
  package struct Access: Sendable {
    /// An API token; not the webhook's secret, though both begin with `dyn_`.
    package var token: Secret
    package var environment: String
    /// Without a slash at its end.
    package var url = "https://app.dynamicauth.com/api/v0"
    /// A file with the certificate authorities to trust instead of the system's.
    package var authorities: String?

    package init(token: Secret, environment: String) {
      self.token = token
      self.environment = environment
    }
  }

  package typealias Exchange = @Sendable (OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse

  /// Bytes of one response.
  private static let mostBytes = 1 << 20
  private static let tries = 4
  /// Of one try. A page is made by one query, and who waits for longer learns no more.
  private static let patience = Duration.seconds(10)
  /// After so long a call is not tried again, so that a person who waits learns soon that the API hangs.
  private static let longestCall = Duration.seconds(20)
  /// A longer one is left to the caller, who has other work meanwhile.
  private static let longestPause = Duration.seconds(60)

  package let access: Access
  private let exchange: Exchange
  private let sleep: @Sendable (Duration) async throws -> Void
  private let random: @Sendable () -> Double
  private let now: @Sendable () -> ContinuousClock.Instant

  package init(
    _ access: Access,
    exchange: @escaping Exchange = { request throws(OutgoingError) in
      try await HTTPClient.shared.response(to: request)
    },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    random: @escaping @Sendable () -> Double = { .random(in: 0...1) },
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.access = access
    self.exchange = exchange
    self.sleep = sleep
    self.random = random
    self.now = now
  }

  /// The path of something in the environment.
  func path(_ parts: String...) -> String {
    (["environments", access.environment] + parts).map(Self.encoded).map { "/" + $0 }.joined()
  }

  /// - Parameters:
  ///   - path: behind the API's URL, beginning with a slash.
  ///   - isRepeatable: whether it may happen twice. A POST is tried again after a failure only then, because the first
  ///     one may have worked.
  /// - Returns: a response whose status is 2xx and whose body is whole.
  func call(
    _ method: OutgoingRequest.Method, _ path: String, query: [(name: String, value: String)] = [], body: [UInt8] = [],
    isRepeatable: Bool
  ) async throws(APIError) -> OutgoingResponse {
    var request = OutgoingRequest(method, access.url + path + Self.text(of: query))
    request.authorities = access.authorities
    request.isIdempotent = isRepeatable
    request.limits.bodyBytes = Self.mostBytes
    request.limits.time = Self.patience
    request.body = body
    let token = access.token.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    request.fields = [("Authorization", "Bearer \(token)"), ("Accept", "application/json"), ("User-Agent", "revoked")]
    if !body.isEmpty { request.fields.append(("Content-Type", "application/json")) }
    let begin = now()
    for attempt in 1... {
      let error: APIError
      do throws(APIError) {
        return try await respond(request)
      } catch let failure {
        error = failure
      }
      guard attempt < Self.tries, begin.duration(to: now()) < Self.longestCall,
        error.mayBeTriedAgain(isRepeatable: isRepeatable)
      else { throw error }
      let pause = error.pause ?? .milliseconds(Int(Double(500 << (attempt - 1)) * random()))
      guard pause <= Self.longestPause else { throw error }
      guard (try? await sleep(pause)) != nil else { throw .cancelled }
    }
    throw .cancelled
  }

  private func respond(_ request: OutgoingRequest) async throws(APIError) -> OutgoingResponse {
    let response: OutgoingResponse
    do throws(OutgoingError) {
      response = try await exchange(request)
    } catch {
      throw error.isCancelled
        ? .cancelled : .unreachable(error.description, mayHaveArrived: error.mayHaveArrived)
    }
    switch response.status {
    case 200...299:
      if let cut = response.cut { throw .unreachable(cut.description, mayHaveArrived: true) }
      return response
    case 429, 500...599:
      throw .unavailable(
        status: response.status,
        retryAfter: RetryAfter.pause(response.value(of: "Retry-After"), now: Date()))
    case let status: throw .rejected(status: status, reason: reason(in: response.body))
    }
  }

  /// What the API says of an error, which may repeat what it was sent.
  private func reason(in body: [UInt8]) -> String? {
    let token = access.token.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    return APIError.reason(in: body, without: token)
  }

  private static func text(of query: [(name: String, value: String)]) -> String {
    query.isEmpty ? "" : "?" + query.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
  }

  /// For a segment of a path or a part of a query. An id or cursor is a text of the peer's.
  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(
      withAllowedCharacters: CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")) ?? ""
  }
}

extension APIError {
  fileprivate func mayBeTriedAgain(isRepeatable: Bool) -> Bool {
    switch self {
    // Nothing was done.
    case .unavailable(429, _): true
    case .unavailable: isRepeatable
    case .unreachable(_, let mayHaveArrived): isRepeatable || !mayHaveArrived
    case .rejected, .unreadable, .cancelled: false
    }
  }

  fileprivate var pause: Duration? {
    if case .unavailable(_, let retryAfter) = self { retryAfter } else { nil }
  }
}

/// Why a call of Dynamic's API did not do what it was asked for. It never holds the token.
package enum APIError: Error, Sendable, CustomStringConvertible {
  /// No response, or none that is whole.
  case unreachable(String, mayHaveArrived: Bool)
  /// The API is there and cannot now: 429 or 5xx, after several tries.
  case unavailable(status: Int, retryAfter: Duration?)
  /// The API does not do it: any other status.
  case rejected(status: Int, reason: String?)
  /// The status says that it was done, and the body is not what is documented.
  case unreadable(String)
  /// The task was cancelled.
  case cancelled

  package var description: String {
    switch self {
    case .unreachable(let text, _): "Dynamic's API is not reachable: \(text)"
    case .unavailable(429, _): "Dynamic's API limits how often it is called (429)"
    case .unavailable(let status, _): "Dynamic's API cannot answer now (\(status))"
    case .rejected(401, let reason): "Dynamic does not accept the API token (401)" + Self.quoted(reason)
    case .rejected(403, let reason):
      "the API token may not do this: a scope or the environment (403)" + Self.quoted(reason)
    case .rejected(404, let reason): "Dynamic's API does not know it (404)" + Self.quoted(reason)
    case .rejected(let status, let reason): "Dynamic's API refused the call (\(status))" + Self.quoted(reason)
    case .unreadable(let text): "Dynamic's API sent what cannot be used: \(text)"
    case .cancelled: "cancelled"
    }
  }

  private static func quoted(_ reason: String?) -> String { reason.map { ": \($0)" } ?? "" }

  /// What the body of an error says. `error` is a text in most of them and an object in some; a body may be no JSON at
  /// all.
  ///
  /// - Parameter token: is left out, should it be there.
  static func reason(in body: [UInt8], without token: String? = nil) -> String? {
    guard let body = JSONValue(body) else { return nil }
    let error = body["error"]
    let text = error?.string ?? error?["message"]?.string ?? error?["code"]?.string ?? body["message"]?.string
    guard var text, !text.isEmpty else { return nil }
    if let token { text = text.replacing(token, with: "(the token)") }
    // A peer's text, on its way to a terminal or a log.
    return String(decoding: text.utf8.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
  }
}

/// A list that the API returns page by page.
///
/// The documentation leaves open how a list ends and in which order it comes. This is right for every reading: the list
/// is over when a page is empty, or its cursor is missing, null, empty or one that was there before. What the pages
/// hold may shift while they are read, so that an item may come twice.
package struct Pages: Sendable {
  /// A list has an end, whatever the other side says.
  private static let most = 10_000

  private let api: DynamicAPI
  private let path: String
  private let query: [(name: String, value: String)]
  private var cursor: String?
  private var seen: Set<[UInt8]> = []
  private var isOver = false

  init(_ api: DynamicAPI, _ path: String, query: [(name: String, value: String)] = []) {
    self.api = api
    self.path = path
    self.query = query
  }

  /// The next page; `nil` at the end.
  mutating func next() async throws(APIError) -> [JSONValue]? {
    if isOver { return nil }
    let response = try await api.call(
      .get, path, query: query + (cursor.map { [("cursor", $0)] } ?? []), isRepeatable: true)
    guard let page = JSONValue(response.body), page.isObject else { throw .unreadable("a page that is no JSON object") }
    // A page without `data` may be the end. One whose `data` is another thing is not understood.
    let data = page["data"]
    guard data != nil || page["error"] == nil else { throw .unreadable("a page that reports an error") }
    guard let items = data == nil || data?.isNull == true ? [] : data?.elements else {
      throw .unreadable("a page whose data is no list")
    }
    cursor = page["cursor"]?.string
    let isNew = cursor.map { !$0.isEmpty && seen.insert(Array($0.utf8)).inserted } ?? false
    isOver = items.isEmpty || !isNew
    guard seen.count < Self.most else { throw .unreadable("a list of more than \(Self.most) pages") }
    return items.isEmpty ? nil : items
  }
}
