internal import Foundation
internal import FoundationNetworking
internal import Signature

/// Posts signed events to a receiver.
struct Sender: Sendable {
  struct Answer: Sendable {
    /// nil: no answer came.
    var status: Int?
    /// The answer's body, or why there was none.
    var text: String
    var duration: Duration
  }

  private let url: URL
  private let session: URLSession

  init(url: URL, concurrency: Int) {
    self.url = url
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = concurrency
    // Dynamic gives up after about as long.
    configuration.timeoutIntervalForRequest = 15
    session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
  }

  func send(_ body: [UInt8], signature: String) async -> Answer {
    var request = URLRequest(url: url)
    request.httpMethod = "POST"
    request.httpBody = Data(body)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue(signature, forHTTPHeaderField: SignatureHeader.name.description)
    let start = ContinuousClock.now
    do {
      let (data, response) = try await session.data(for: request)
      return Answer(
        status: (response as? HTTPURLResponse)?.statusCode, text: String(decoding: data.prefix(2000), as: UTF8.self),
        duration: start.duration(to: .now))
    } catch {
      let reason = (error as? URLError)?.localizedDescription ?? error.localizedDescription
      return Answer(status: nil, text: reason, duration: start.duration(to: .now))
    }
  }
}

/// A receiver that redirects is misconfigured, and Dynamic would not follow.
private final class NoRedirects: NSObject, URLSessionTaskDelegate {
  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }
}
