internal import CFaultyDisk
import TestSupport

/// A folder on a disk that fails when told to, and whose power can be cut.
@safe final class FaultyDisk {
  typealias Fault = FaultyDiskFault

  let folder: TemporaryFolder
  // Made by the call below and given back in deinit; its functions lock.
  private let disk: OpaquePointer

  init() throws {
    folder = try TemporaryFolder()
    unsafe disk = faulty_disk_watch(folder.path)
  }

  deinit { unsafe faulty_disk_forget(disk) }

  /// Writes, syncs and truncations so far.
  var calls: Int64 { unsafe faulty_disk_calls(disk) }

  /// From the n-th call on, so many fail.
  func fail(at n: Int64, count: Int64 = 1, _ fault: Fault) { unsafe faulty_disk_fail(disk, n, count, fault) }

  /// Nothing changes any more, as after a SIGKILL.
  func stop() { unsafe faulty_disk_stop(disk) }

  /// A process that comes after: it sees what the last one wrote, whether that is on the disk or not.
  func restart() { unsafe faulty_disk_restart(disk) }

  /// The machine that comes after: what was not synced is there in part, or not at all.
  func cutPower(seed: UInt64) { unsafe faulty_disk_cut(disk, seed) }
}
