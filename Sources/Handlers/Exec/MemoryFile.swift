internal import CLinux
internal import Glibc
internal import SystemPackage

/// Bytes as a file that has no name. As a child's standard input it never blocks whoever wrote it, and never breaks as a pipe does whose
/// reader has gone: a child may read it or not.
final class MemoryFile {
  let descriptor: FileDescriptor

  /// Throws when there is no descriptor left, or no memory.
  init(_ bytes: [UInt8]) throws(Errno) {
    // The name is for /proc only, and a literal.
    let number = unsafe memfd_create("revoked-event", UInt32(MFD_CLOEXEC))
    guard number >= 0 else { throw Errno(rawValue: errno) }
    descriptor = FileDescriptor(rawValue: number)
    do {
      // Leaves the position at the beginning, where the child reads.
      try descriptor.writeAll(toAbsoluteOffset: 0, bytes)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  deinit { try? descriptor.close() }
}
