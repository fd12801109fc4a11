internal import Dispatch
internal import Glibc
internal import Storage
internal import SystemPackage

/// Reports when another process may have written to the store, such as a command that put dead letters back.
///
/// The kernel reports when a process that could write closes the database file, also when it was killed. So nothing
/// polls, and a command need not know whether a server runs, or where: a process number means nothing in another
/// container. Commands that only read are reported as well; looking for work that is not there is cheap.
final class StoreWatch: ChangeObservation {
  // Activated once, and then only cancelled, which is safe from any thread.
  private nonisolated(unsafe) let source: any DispatchSourceRead

  /// - Parameter written: called on a queue of its own, at most once at a time. Must be brief.
  init(_ path: String, _ written: @escaping @Sendable () -> Void) throws(StoreError) {
    let descriptor: CInt
    do throws(Errno) {
      descriptor = try systemCall { inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC)) }
      do throws(Errno) {
        // A String lent to C lives as long as the call.
        try systemCall { unsafe inotify_add_watch(descriptor, path, UInt32(IN_CLOSE_WRITE)) }
      } catch {
        close(descriptor)
        throw error
      }
    } catch {
      throw .io(path: path, cause: "it cannot be watched: \(error.description)")
    }
    let source = DispatchSource.makeReadSource(
      fileDescriptor: descriptor, queue: DispatchQueue(label: "revoked.watch"))
    source.setEventHandler {
      var buffer = [UInt8](repeating: 0, count: 4096)
      // What happened is no news, only that it did. The buffer outlives each call, and the count is its own.
      while unsafe read(descriptor, &buffer, buffer.count) > 0 {}
      written()
    }
    // The descriptor is closed once the source has let go of it.
    source.setCancelHandler { close(descriptor) }
    source.activate()
    unsafe self.source = source
  }

  package func cancel() {
    unsafe source.cancel()
  }

  deinit { unsafe source.cancel() }
}
