internal import CCurl
internal import Glibc

/// A handle of libcurl's, for one exchange. Belongs to the loop's thread.
///
/// Never used again: before 8.3.0 libcurl follows a pointer into the last exchange's fields when the first field of a
/// response begins with a space, so that a peer could end the process (curl issues 11101 and 11620). A new handle costs
/// some 4 µs.
@safe final class EasyHandle {
  let easy: UnsafeMutableRawPointer
  /// libcurl's words on what went wrong.
  private let message: UnsafeMutablePointer<CChar>
  private var fields: UnsafeMutablePointer<curl_slist>?
  private var code = CURLE_OK

  /// Throws without memory, and when libcurl refuses an option.
  init(for exchange: Exchange) throws(OutgoingError) {
    guard let easy = unsafe curl_easy_init() else { throw OutgoingError("no memory for a request") }
    unsafe self.easy = unsafe easy
    unsafe message = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    unsafe set(ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, message))
    unsafe set(ccurl_speak_only_http(easy))
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_FOLLOWLOCATION, 0)
    // The empty name is that of no proxy, whatever the environment says.
    set(CURLOPT_PROXY, "")
    set(CURLOPT_NOPROXY, "*")
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    if let authorities = exchange.request.authorities { set(CURLOPT_CAINFO, authorities) }
    // The folder of certificates beside the file: it would count too, and keep the file from being held in memory.
    set(CURLOPT_CAPATH, nil)
    // So that a changed file counts soon.
    unsafe set(ccurl_keep_authorities(easy, 60))
    // Signals are process-wide; time is kept without them.
    set(CURLOPT_NOSIGNAL, 1)
    unsafe set(ccurl_leave_name_lookups(easy))
    unsafe set(ccurl_close_sockets_on_exec(easy))
    // Below what proxies and load balancers keep an idle connection for, mostly 60 seconds.
    set(CURLOPT_MAXAGE_CONN, 30)
    set(CURLOPT_PATH_AS_IS, 1)
    // libcurl calls these only while the exchange runs, which keeps it and this handle alive.
    unsafe set(
      ccurl_set_receiver(easy, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
        guard let bytes = unsafe bytes, let exchange = unsafe EasyHandle.exchange(context),
          let handle = exchange.handle
        else {
          return 0
        }
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        return unsafe exchange.receiveHead(line, status: handle.status) ? count : 0
      })
    unsafe set(
      ccurl_set_receiver(easy, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
        guard let bytes = unsafe bytes, let exchange = unsafe EasyHandle.exchange(context) else { return 0 }
        return unsafe exchange.receiveBody(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
      })
    unsafe set(
      ccurl_set_before_request(easy) { context, _, _, _, _ in
        guard let exchange = unsafe EasyHandle.exchange(context), let handle = exchange.handle else {
          return CURL_PREREQFUNC_ABORT
        }
        return exchange.mayAttempt(handle) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      })
    describe(exchange)
    guard code == CURLE_OK else {
      throw OutgoingError("the request cannot be made: \(unsafe String(cString: curl_easy_strerror(code)))")
    }
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe curl_slist_free_all(fields)
    unsafe message.deallocate()
  }

  private func describe(_ exchange: Exchange) {
    let request = exchange.request
    set(CURLOPT_URL, request.url)
    set(CURLOPT_UNIX_SOCKET_PATH, request.socketPath)
    switch request.method {
    case .get, .delete: set(CURLOPT_HTTPGET, 1)
    case .post, .put:
      set(CURLOPT_POST, 1)
      set(CURLOPT_POSTFIELDSIZE, request.body.count)
      // libcurl copies as many bytes as it was told. Without a pointer it would read standard input.
      unsafe request.body.withUnsafeBytes { body in
        unsafe body.withMemoryRebound(to: CChar.self) { body in
          if let start = body.baseAddress {
            unsafe set(ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, start))
          } else {
            set(CURLOPT_COPYPOSTFIELDS, "")
          }
        }
      }
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    setFields(request.fields)
    set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.limits.connectTime))
    set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.limits.time))
    let context = unsafe Unmanaged.passUnretained(exchange).toOpaque()
    for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_PREREQDATA] {
      unsafe set(ccurl_set_pointer(easy, option, context))
    }
  }

  private func setFields(_ given: [(name: String, value: String)]) {
    // libcurl adds these by itself unless they are named without a value. It would wait a second for the 100 that it
    // expects of a long body.
    for line in ["Accept:", "Expect:", "Content-Type:"] { append(line) }
    for (name, value) in given { append(value.isEmpty ? "\(name);" : "\(name): \(value)") }
    unsafe set(ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, fields))
  }

  private func append(_ line: String) {
    guard let longer = unsafe curl_slist_append(fields, line) else { return set(CURLE_OUT_OF_MEMORY) }
    unsafe fields = unsafe longer
  }

  var status: Int { number(CURLINFO_RESPONSE_CODE) }

  /// Of requests, since the exchange began.
  var bytesSent: Int { number(CURLINFO_REQUEST_SIZE) }

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    unsafe ccurl_get_number(easy, info, &value)
    return value
  }

  func error(_ code: CURLcode, _ text: String?) -> OutgoingError {
    let details = unsafe String(cString: message)
    let general = unsafe String(cString: curl_easy_strerror(code))
    return OutgoingError(text ?? (details.isEmpty ? general : details), mayHaveArrived: bytesSent > 0)
  }

  private func set(_ option: CURLoption, _ value: Int) { unsafe set(ccurl_set_number(easy, option, value)) }
  private func set(_ option: CURLoption, _ text: String?) { unsafe set(ccurl_set_text(easy, option, text)) }

  /// Keeps the first failure.
  private func set(_ result: CURLcode) {
    if code == CURLE_OK { code = result }
  }

  /// At least one, since 0 would mean no limit; at most a day, which fits wherever libcurl adds.
  private static func milliseconds(_ duration: Duration) -> Int {
    Int(min(max(duration / .milliseconds(1), 1), 86_400_000).rounded(.up))
  }

  private static func exchange(_ context: UnsafeMutableRawPointer?) -> Exchange? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
  }
}
