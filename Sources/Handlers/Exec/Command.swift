internal import CLinux
internal import CSpawn
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// One run of a program, in a process group of its own.
///
/// It has a thread of its own from beginning to end. Dispatch has at most 255, which the server's loops need as well,
/// and a group of commands that take long would keep them.
final class Command: Sendable {
  struct Plan: Sendable {
    /// Tried in turn until one is there.
    var programs: [String]
    /// The first is the program's own name.
    var arguments: [String]
    /// `NAME=value` each.
    var environment: [String]
    var input: [UInt8]
    /// The soft limit on its descriptors; 0: ours.
    var descriptors: UInt64
    /// Where the process is noted.
    var mark: AttemptFile.Mark?
  }

  private struct State {
    /// 0 before it has begun and after it has ended. While it is set the number belongs to no other process.
    var process: pid_t = 0
    var isCancelled = false
  }

  private typealias Result = Swift.Result<CommandEnd, Errno>

  private static let stackSize = 256 << 10
  private static let bufferSize = 16 << 10
  /// A pipe holds 64 KiB unless the command enlarges it, to 1 MiB at most.
  private static let mostReads = (1 << 20) / bufferSize

  private let plan: Plan
  private let state = Mutex(State())

  init(_ plan: Plan) {
    self.plan = plan
  }

  /// Returns when the command has ended, though others may still hold its output. When the task is cancelled the whole
  /// group is killed.
  ///
  /// Throws what kept the command from beginning; `.canceled` if that was the task's cancellation.
  func run() async throws(Errno) -> CommandEnd {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let code = startThread { continuation.resume(returning: self.runInThread()) }
        if code != 0 { continuation.resume(returning: Result.failure(Errno(rawValue: code))) }
      }
    } onCancel: {
      state.withLock { state in
        state.isCancelled = true
        if state.process > 0 { kill(-state.process, SIGKILL) }
      }
    }
    return try result.get()
  }

  /// Returns 0 or an error number.
  private func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe _ = pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, Self.stackSize)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(Box(body))
    let code = unsafe pthread_create(
      &thread, &attributes,
      { context in
        // The one reference that was retained for this thread.
        if let context = unsafe context { unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, context.toOpaque())
    if code != 0 { unsafe context.release() }
    return code
  }

  private func runInThread() -> Result {
    // Signals are for the threads that wait for them.
    var all = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    do throws(Errno) {
      var output = try OutputPipe()
      var error = try OutputPipe()
      let (process, descriptor) = try spawn(output.writing, error.writing)
      defer { if descriptor >= 0 { close(descriptor) } }
      output.closeWriting()
      error.closeWriting()
      return .success(follow(process, descriptor, output.reading, error.reading))
    } catch {
      return .failure(error)
    }
  }

  /// Begins the command. Returns the process and its pidfd, which may be -1.
  private func spawn(_ output: Int32, _ error: Int32) throws(Errno) -> (pid_t, Int32) {
    let input = try MemoryFile(plan.input)
    let (programs, arguments) = (CStrings(plan.programs), CStrings(plan.arguments))
    let environment = CStrings(plan.environment)
    var process: pid_t = 0
    var descriptor: Int32 = -1
    // All that it points to lives until the end of this function, and the child has left our memory by then.
    var request = unsafe command_plan()
    unsafe request.programs = UnsafePointer(
      UnsafeRawPointer(programs.pointers).assumingMemoryBound(to: UnsafePointer<CChar>?.self))
    unsafe request.arguments = UnsafePointer(arguments.pointers)
    unsafe request.environment = UnsafePointer(environment.pointers)
    unsafe request.input = input.descriptor
    unsafe request.output = output
    unsafe request.error = error
    unsafe request.descriptors = plan.descriptors
    unsafe request.note = plan.mark?.note
    // Under the lock, so that a cancellation finds either nothing or the process.
    let code = state.withLock { state in
      if state.isCancelled { return ECANCELED }
      let code = unsafe spawn_command(&request, &process, &descriptor)
      if code == 0 { state.process = process }
      return code
    }
    withExtendedLifetime((programs, arguments, environment)) {}
    guard code == 0 else { throw Errno(rawValue: code) }
    return (process, descriptor)
  }

  /// Reads what the command prints until it has ended.
  private func follow(_ process: pid_t, _ descriptor: Int32, _ output: Int32, _ error: Int32) -> CommandEnd {
    var printed = CommandOutput()
    var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
    var waits = [output, error, descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    /// Always the output first: what was there before the error reads so.
    func read() {
      for index in 0...1 where waits[index].fd >= 0 {
        for _ in 0..<Self.mostReads {
          let count = unsafe Glibc.read(waits[index].fd, &buffer, buffer.count)
          if count > 0 { printed.append(buffer[..<count], isError: index == 1) }
          // Its end; `poll` leaves out what is negative.
          if count == 0 { waits[index].fd = -1 }
          if count < buffer.count { break }
        }
      }
    }
    while true {
      // Without a pidfd it has to be asked.
      unsafe _ = poll(&waits, nfds_t(waits.count), descriptor < 0 ? 10 : -1)
      read()
      guard let status = reap(process) else { continue }
      // What it printed before its end.
      read()
      return CommandEnd(status: status, output: printed)
    }
  }

  /// nil: it still runs.
  private func reap(_ process: pid_t) -> CommandEnd.Status? {
    state.withLock { state in
      var status: Int32 = 0
      let found = unsafe waitpid(process, &status, WNOHANG)
      if found == 0 { return nil }
      state.process = 0
      return found == process ? CommandEnd.Status(status) : .unknown
    }
  }
}

/// Texts as C has them: pointers, and a null pointer behind the last.
@safe private final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    unsafe pointers = .allocate(capacity: count + 1)
    for (index, text) in texts.enumerated() { unsafe (pointers + index).initialize(to: strdup(text)) }
    unsafe (pointers + count).initialize(to: nil)
  }

  deinit {
    for index in 0..<count { unsafe free(pointers[index]) }
    unsafe pointers.deallocate()
  }
}

/// Bytes as a file that has no name. As a child's standard input it never blocks the writer, and never breaks as a pipe
/// does whose reader has gone: a child may read it or not.
struct MemoryFile: ~Copyable {
  let descriptor: Int32

  /// Throws when there is no descriptor left, or no memory.
  init(_ bytes: [UInt8]) throws(Errno) {
    // The name is for /proc only, and a literal.
    descriptor = unsafe memfd_create("revoked-event", UInt32(MFD_CLOEXEC))
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    do {
      // Leaves the position at the beginning, where the child reads.
      try FileDescriptor(rawValue: descriptor).writeAll(toAbsoluteOffset: 0, bytes)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  deinit { close(descriptor) }
}

/// What a child writes and we read. Our end does not block.
struct OutputPipe: ~Copyable {
  let reading: Int32
  private(set) var writing: Int32

  /// Throws when there is no descriptor left.
  init() throws(Errno) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw Errno(rawValue: errno) }
    (reading, writing) = (ends[0], ends[1])
    // Not the child's end: programs do not expect it.
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
  }

  /// Once the child has its copy, the pipe ends with the last of its writers.
  mutating func closeWriting() {
    close(writing)
    writing = -1
  }

  deinit {
    close(reading)
    if writing >= 0 { close(writing) }
  }
}
