internal import CCurl
internal import CLinux
internal import Glibc

/// The thread that drives all exchanges: libcurl's multi interface, told by epoll which sockets are ready.
///
/// Made by the thread that starts it, and from then on touched by its own alone.
@safe final class ExchangeLoop {
  enum Command: Sendable {
    case begin(Exchange)
    case cancel(Exchange)
  }

  let wake: Int32
  private let client: HTTPClient
  private let epoll: Int32
  private let multi: UnsafeMutableRawPointer
  /// By the address of the handle.
  private var running: [Int: Exchange] = [:]
  private var timer: ContinuousClock.Instant?

  private static let mostEvents = 64
  /// As many as one handler may have attempts at the same time, so that a busy one finds its own again.
  private static let keptConnections = 256

  /// Once in the process, before the first handle.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init(_ client: HTTPClient) throws(OutgoingError) {
    guard Self.isReady, let multi = unsafe curl_multi_init() else {
      throw OutgoingError("libcurl does not start")
    }
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    unsafe self.multi = unsafe multi
    self.epoll = epoll
    self.wake = wake
    self.client = client
    // Edge-triggered, so that it need not be read.
    guard epoll >= 0, wake >= 0, control(EPOLL_CTL_ADD, wake, EPOLLIN.rawValue | EPOLLET.rawValue) else {
      throw OutgoingError("no descriptor for outgoing requests (error \(errno))")
    }
    unsafe ccurl_keep_connections(multi, Self.keptConnections)
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    // libcurl calls both only from within the calls that the loop makes, so `self` is alive.
    unsafe ccurl_call_for_sockets(
      multi,
      { _, socket, what, context, known in
        if let context = unsafe context {
          unsafe Unmanaged<ExchangeLoop>.fromOpaque(context).takeUnretainedValue().watch(socket, what, known != nil)
        }
        return 0
      }, context)
    unsafe ccurl_call_for_timer(
      multi,
      { _, milliseconds, context in
        if let context = unsafe context {
          unsafe Unmanaged<ExchangeLoop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
        }
        return 0
      }, context)
  }

  deinit {
    unsafe curl_multi_cleanup(multi)
    if epoll >= 0 { close(epoll) }
    if wake >= 0 { close(wake) }
  }

  func run() -> Never {
    // Signals are for the threads that wait for them.
    var all = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    var events = unsafe [epoll_event](repeating: epoll_event(), count: Self.mostEvents)
    // What was submitted before the thread ran did not wake it.
    var isIdle = false
    while true {
      let count = unsafe epoll_wait(epoll, &events, Int32(Self.mostEvents), isIdle ? milliseconds() : 0)
      for index in 0..<Int(max(count, 0)) {
        let event = unsafe events[index]
        if unsafe event.data.fd != wake { act(unsafe event.data.fd, flags: unsafe event.events) }
      }
      let commands = client.takeCommands()
      for command in commands { obey(command) }
      isIdle = commands.isEmpty
      if let due = timer, due <= .now {
        timer = nil
        act(CURL_SOCKET_TIMEOUT, flags: 0)
      }
      finish()
    }
  }

  private func obey(_ command: Command) {
    switch command {
    case .begin(let exchange) where exchange.isCancelled:
      exchange.end(.failure(OutgoingError("cancelled", isCancelled: true)))
    case .begin(let exchange): begin(exchange)
    case .cancel(let exchange):
      exchange.isCancelled = true
      guard let handle = exchange.handle else { return }
      end(exchange, handle, CURLE_ABORTED_BY_CALLBACK)
    }
  }

  private func begin(_ exchange: Exchange) {
    do throws(OutgoingError) {
      let handle = try EasyHandle(for: exchange)
      guard unsafe curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
        throw OutgoingError("the request cannot be made")
      }
      exchange.handle = handle
      unsafe running[Int(bitPattern: handle.easy)] = exchange
    } catch {
      exchange.end(.failure(error))
    }
  }

  /// Ends the exchanges that libcurl is done with.
  private func finish() {
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      // Both are read before the handle is removed, which makes the message invalid.
      guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else { continue }
      let code = unsafe message.pointee.data.result
      guard let exchange = running[Int(bitPattern: easy)], let handle = exchange.handle else { continue }
      end(exchange, handle, code)
    }
  }

  private func end(_ exchange: Exchange, _ handle: EasyHandle, _ code: CURLcode) {
    let result = exchange.result(code, of: handle)
    // Closes the connection unless the response was read to its end.
    unsafe curl_multi_remove_handle(multi, handle.easy)
    unsafe running[Int(bitPattern: handle.easy)] = nil
    exchange.handle = nil
    exchange.end(result)
  }

  // MARK: what libcurl waits for

  private func act(_ socket: Int32, flags: UInt32) {
    var what: Int32 = 0
    if flags & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue) != 0 { what |= CURL_CSELECT_IN }
    if flags & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
    if flags & EPOLLERR.rawValue != 0 { what |= CURL_CSELECT_ERR }
    var count: Int32 = 0
    unsafe curl_multi_socket_action(multi, socket, what, &count)
  }

  /// - Parameter isKnown: whether the socket is registered.
  private func watch(_ socket: Int32, _ what: Int32, _ isKnown: Bool) {
    let flags: UInt32
    switch what {
    case CURL_POLL_REMOVE:
      _ = control(EPOLL_CTL_DEL, socket, 0)
      // No pointer: the next call for this socket finds it unknown.
      unsafe curl_multi_assign(multi, socket, nil)
      return
    case CURL_POLL_IN: flags = EPOLLIN.rawValue
    case CURL_POLL_OUT: flags = EPOLLOUT.rawValue
    default: flags = EPOLLIN.rawValue | EPOLLOUT.rawValue
    }
    // Without memory for it in the kernel the exchange ends at its deadline.
    _ = control(isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, flags)
    // Any pointer but null; it is never followed.
    if !isKnown { unsafe curl_multi_assign(multi, socket, multi) }
  }

  private func control(_ operation: Int32, _ socket: Int32, _ flags: UInt32) -> Bool {
    var event = unsafe epoll_event()
    unsafe event.events = flags
    unsafe event.data.fd = socket
    return unsafe epoll_ctl(epoll, operation, socket, &event) == 0
  }

  private func setTimer(_ milliseconds: Int) {
    timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
  }

  /// Until the timer is due, rounded up; -1 without one. At most a minute, since a number of milliseconds has 31 bits.
  private func milliseconds() -> Int32 {
    guard let timer else { return -1 }
    let left = timer - .now
    return left <= .zero ? 0 : Int32(min(left / .milliseconds(1), 60_000).rounded(.up))
  }
}
