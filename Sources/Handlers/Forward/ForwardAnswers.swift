internal import Foundation
internal import FoundationNetworking
internal import Synchronization

/// What the session says of its requests: of each answer the head is kept, and the body read to a bound and dropped.
final class ForwardAnswers: NSObject, URLSessionDataDelegate {
  /// A body that ends within this many bytes lets the connection be used again. One that does not costs it.
  private static let mostBytes = 65_536

  private struct Waiting {
    let continuation: CheckedContinuation<HTTPURLResponse, any Error>
    var bytes = 0
  }

  private let waiting = Mutex<[Int: Waiting]>([:])

  /// Starts the task and returns the head of its answer, once its body has ended or is too long. Cancellation ends the task, and the wait
  /// with it: of a task that is cancelled while it starts the session may never say anything.
  func answer(to task: URLSessionDataTask) async throws -> HTTPURLResponse {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        waiting.withLock { $0[task.taskIdentifier] = Waiting(continuation: continuation) }
        // A cancellation that came before found nobody waiting.
        if Task.isCancelled { return end(task, .failure(CancellationError())) }
        task.resume()
      }
    } onCancel: {
      task.cancel()
      end(task, .failure(CancellationError()))
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    end(task, .success(response))
    completionHandler(nil)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let isTooLong = waiting.withLock { waiting in
      // A piece has what one read gave, far from an overflow above the bound.
      waiting[dataTask.taskIdentifier]?.bytes += data.count
      return (waiting[dataTask.taskIdentifier]?.bytes ?? 0) > Self.mostBytes
    }
    guard isTooLong, let response = dataTask.response as? HTTPURLResponse else { return }
    end(dataTask, .success(response))
    dataTask.cancel()
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    if let error {
      // Not the error itself, which shows the URL with all that may be in it.
      let code = (error as? URLError)?.code.rawValue ?? (error as NSError).code
      end(task, .failure(ForwardFailure("the request failed: \(error.localizedDescription) (\(code))")))
    } else if let response = task.response as? HTTPURLResponse {
      end(task, .success(response))
    } else {
      end(task, .failure(ForwardFailure("the request ended without an answer")))
    }
  }

  /// Once for each task: whatever comes later finds nobody.
  private func end(_ task: URLSessionTask, _ result: Result<HTTPURLResponse, any Error>) {
    waiting.withLock { $0.removeValue(forKey: task.taskIdentifier) }?.continuation.resume(with: result)
  }
}
