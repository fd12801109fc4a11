internal import CLinux
internal import Glibc
internal import SystemPackage

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
