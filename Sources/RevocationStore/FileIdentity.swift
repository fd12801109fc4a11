internal import Glibc

/// Which file a path names. SQLite goes on writing to the files it has opened even when one was removed or replaced; such commits
/// would be gone with the process, so they must not be acknowledged.
struct FileIdentity: Equatable, Sendable {
  private let device: dev_t
  private let inode: ino_t

  /// nil: nothing is there, or it cannot be asked.
  init?(_ path: String) {
    var information = stat()
    // The string and the structure live for the call.
    guard unsafe stat(path, &information) == 0 else { return nil }
    device = information.st_dev
    inode = information.st_ino
  }
}
