internal import Dispatch
internal import Glibc
internal import Logging
internal import Synchronization

/// Writes log lines to a descriptor in blocks. A line costs its caller a lock and a copy, never a system call: one
/// `write` for each event halves the throughput of the whole server, and one that blocks would stop it.
///
/// Lines go out 100 ms after the first that waits, at 32 KiB, and at once from `error` upwards. Of lines that find the
/// buffer full, because the other end is not read, only the number is kept; one line says it when writing resumes.
final class LogSink: Sendable {
  /// Bytes that wait or are being written; beyond them a line is dropped.
  static let capacity = 1 << 20
  /// A block that is worth a system call.
  private static let block = 32 << 10
  private static let tick = DispatchTimeInterval.milliseconds(100)
  /// For those who wait for their lines. So long they gather: a block costs two changes of threads whatever its size,
  /// which those would pay whose events make the lines.
  private static let gathering = DispatchTimeInterval.milliseconds(5)

  let format: LogFormat
  private let output: LogOutput
  private let threshold: Atomic<Int>
  private let state = Mutex(State())
  /// Owns the descriptor: whatever blocks, blocks here.
  private let queue = DispatchQueue(label: "revoked.log")

  private struct State {
    enum Writing {
      /// Nothing waits.
      case idle
      /// The tick will come.
      case ticking
      /// What is awaited will be written soon.
      case gathering
      /// The queue has been asked to write as soon as it can.
      case asked
    }

    var lines: [UInt8] = []
    var bytesInFlight = 0
    /// Since the last line that told it.
    var dropped = 0
    var lost = 0
    var writing = Writing.idle
    /// Those who want to know when the lines are written.
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  /// - Parameter descriptor: stays the caller's to close, after the sink.
  init(descriptor: Int32, format: LogFormat, level: Logger.Level) {
    self.format = format
    output = LogOutput(descriptor)
    threshold = Atomic(level.rank)
  }

  /// The least level that is logged. May be set at any time and from any thread.
  var level: Logger.Level {
    get { Logger.Level(rank: threshold.load(ordering: .relaxed)) }
    set { threshold.store(newValue.rank, ordering: .relaxed) }
  }

  /// Lines that were never written, since the start: a caller that must know whether its own got out compares before
  /// and after a flush.
  var lostLines: Int { state.withLock { $0.lost } }

  /// Appends one line, its end included, and returns at once.
  func append(_ line: [UInt8], urgent: Bool) {
    state.withLock { state in
      guard line.count <= Self.capacity - state.lines.count - state.bytesInFlight else {
        state.dropped += 1
        state.lost += 1
        // There may be nothing to write but the news of it, and that needs a drain as well.
        schedule(.ticking, &state)
        return
      }
      state.lines += line
      schedule(urgent || state.lines.count >= Self.block ? .asked : .ticking, &state)
    }
  }

  /// Blocks until every line appended so far is written or lost; `false` if that took longer than `limit`, for a
  /// process that ends must not wait for a reader that never comes.
  @discardableResult
  func flush(within limit: DispatchTimeInterval = .seconds(2)) -> Bool {
    let done = DispatchSemaphore(value: 0)
    queue.async {
      self.write()
      done.signal()
    }
    return done.wait(timeout: .now() + limit) == .success
  }

  /// Suspends until every line appended so far is written or lost, some 5 ms.
  func flushed() async {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.waiting.append(continuation)
        schedule(.gathering, &state)
      }
    }
  }

  private func schedule(_ wanted: State.Writing, _ state: inout State) {
    switch (state.writing, wanted) {
    case (.idle, .ticking): queue.asyncAfter(deadline: .now() + Self.tick) { self.write() }
    case (.idle, .gathering), (.ticking, .gathering):
      queue.asyncAfter(deadline: .now() + Self.gathering) { self.write() }
    case (.idle, .asked), (.ticking, .asked), (.gathering, .asked): queue.async { self.write() }
    case (.asked, _), (.gathering, _), (.ticking, _), (_, .idle): return
    }
    state.writing = wanted
  }

  /// Runs on the queue only. A tick that was overtaken finds nothing and does nothing.
  private func write() {
    let (lines, told, waiting) = state.withLock { state in
      var lines: [UInt8] = []
      swap(&lines, &state.lines)
      state.writing = .idle
      let dropped = state.dropped
      state.dropped = 0
      // What was dropped came after these lines and before any that follow.
      if dropped > 0 { lines += LogLine.dropped(dropped, format) }
      state.bytesInFlight = lines.count
      defer { state.waiting = [] }
      return (lines, dropped, state.waiting)
    }
    defer { for continuation in waiting { continuation.resume() } }
    let unwritten = lines[output.write(lines)...].count { $0 == UInt8(ascii: "\n") }
    state.withLock { state in
      state.bytesInFlight = 0
      guard unwritten > 0 else { return }
      // The last line told of dropped ones and is no loss itself, but has to be told again.
      let lost = told > 0 ? unwritten - 1 : unwritten
      state.lost += lost
      state.dropped += lost + told
    }
  }
}

// Made once: `allCases` builds an array.
private let levels = Logger.Level.allCases

extension Logger.Level {
  /// `trace` is 0.
  fileprivate var rank: Int { levels.firstIndex(of: self) ?? 0 }

  fileprivate init(rank: Int) {
    self = levels.indices.contains(rank) ? levels[rank] : .trace
  }
}

/// The descriptor that log lines go to: where `errno` is read, and where a full or closed other end is dealt with.
struct LogOutput: ~Copyable, Sendable {
  private let descriptor: Int32
  private let broken = Atomic(false)

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A reader that has gone must cost its log lines, not the process: EPIPE instead of a signal. For the whole
    // process, as every socket and pipe of a server needs the same; a child must be started with the default again.
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// The other end will never take anything again.
  var isBroken: Bool { broken.load(ordering: .relaxed) }

  /// Blocks until all bytes are written or writing fails. Returns how many were written.
  func write(_ bytes: [UInt8]) -> Int {
    var written = 0
    while written < bytes.count, !isBroken {
      let rest = bytes[written...]
      // The buffer lives for the call, and the call reads `count` bytes of it at most.
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilWritable()
      case EPIPE, EBADF: broken.store(true, ordering: .relaxed)
      // A full disk or a lost terminal: these bytes are gone, the next block is tried again.
      default: return written
      }
    }
    return written
  }

  /// Another process that shares the terminal or pipe has made it non-blocking. No deadline: this thread has nothing
  /// else to do.
  private func waitUntilWritable() {
    var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // One `pollfd` is passed and one is there.
    _ = unsafe poll(&poller, 1, -1)
  }
}

/// swift-log's back end: each event becomes one line in the sink.
struct StructuredLogHandler: LogHandler {
  private let sink: LogSink
  private var ownLevel: Logger.Level?
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(_ sink: LogSink, metadataProvider: Logger.MetadataProvider? = nil) {
    self.sink = sink
    self.metadataProvider = metadataProvider
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// The sink's, which can change for all loggers at run time, unless this logger was given one of its own.
  var logLevel: Logger.Level {
    get { ownLevel ?? sink.level }
    set { ownLevel = newValue }
  }

  /// What is nearer to the event wins: its own metadata over the provider's over the logger's.
  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    // Into the larger one, which is mostly the event's: every key that is merged is hashed again.
    if let own = event.metadata {
      all = own.count > all.count ? own.merging(all) { own, _ in own } : all.merging(own) { $1 }
    }
    if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
    sink.append(
      LogLine.rendered(event.level, event.message.description, all, sink.format), urgent: event.level >= .error)
  }
}

extension LogSink {
  struct LinesLost: Error, CustomStringConvertible {
    let description = "log lines were lost: they are not read fast enough"
  }

  /// Returns when what `write` logs is written. Throws when any line was lost meanwhile: it may have been this one.
  func deliver(_ write: () -> Void) async throws {
    let before = lostLines
    write()
    await flushed()
    if lostLines != before { throw LinesLost() }
  }
}
