internal import CCurl
internal import CLinux
internal import Glibc
internal import Synchronization

/// Makes every HTTP exchange of the process with other hosts, by libcurl on one thread of its own.
///
/// All exchanges share the thread, so that slow peers block no other exchange, and the kept connections. Redirects are
/// not followed. Proxies that the environment names are not used. TLS is at least 1.2, and the peer's certificate must
/// be valid for the URL's host.
package final class HTTPClient: Sendable {
  package static let shared = HTTPClient()

  private let inbox = Mutex(Inbox())

  private init() {}

  /// Returns the response once its head is whole and its body has ended or was cut.
  ///
  /// When the task is cancelled the exchange ends at once. If the head was whole by then, the response is returned all
  /// the same.
  package func response(to request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
    let exchange = try Exchange(request)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        exchange.continuation = continuation
        submit(.begin(exchange))
      }
    } onCancel: {
      submit(.cancel(exchange))
    }
    return try result.get()
  }

  private func submit(_ command: ExchangeLoop.Command) {
    do throws(OutgoingError) {
      try inbox.withLock { (inbox) throws(OutgoingError) in
        let wake: Int32
        if let known = inbox.wake { wake = known } else { wake = try startLoop() }
        inbox.wake = wake
        inbox.commands.append(command)
        guard inbox.isLoopAsleep else { return }
        inbox.isLoopAsleep = false
        // A write of one into an eventfd fails only when its counter is full, and then the loop is awake.
        _ = eventfd_write(wake, 1)
      }
    } catch {
      // No loop, so nothing runs that could be cancelled.
      if case .begin(let exchange) = command { exchange.end(.failure(error)) }
    }
  }

  /// Called by the loop. Returns what was submitted since the last call; if that is nothing, the next submission wakes
  /// the loop.
  func takeCommands() -> [ExchangeLoop.Command] {
    inbox.withLock { inbox in
      defer { inbox.commands = [] }
      inbox.isLoopAsleep = inbox.commands.isEmpty
      return inbox.commands
    }
  }

  private struct Inbox {
    var commands: [ExchangeLoop.Command] = []
    var isLoopAsleep = false
    /// The eventfd that wakes the loop; `nil` until it runs.
    var wake: Int32?
  }

  /// Returns the eventfd that wakes the loop. A process without a free descriptor or thread tries again with the next
  /// exchange.
  private func startLoop() throws(OutgoingError) -> Int32 {
    let loop = try ExchangeLoop(self)
    let wake = loop.wake
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(loop)
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        // The one reference that was retained for this thread, which alone touches the loop from here on.
        if let context = unsafe context { unsafe Unmanaged<ExchangeLoop>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      unsafe context.release()
      throw OutgoingError("no thread for outgoing requests (error \(code))")
    }
    pthread_detach(thread)
    return wake
  }
}
