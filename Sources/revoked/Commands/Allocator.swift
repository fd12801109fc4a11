internal import CLinux

/// How glibc's allocator is set up for a process that lives long and is watched for its size.
enum Allocator {
  /// What a start frees, of the index's filters above all, would stay with the process otherwise: glibc raises the threshold to the size of
  /// what is freed, so that the next one of that size comes from the heap. At ten million sessions it is 5 MB.
  static func bound() {
    mallopt(M_MMAP_THRESHOLD, 128 * 1024)
    // Each thread of Dispatch's would keep a heap of its own.
    mallopt(M_ARENA_MAX, 1)
  }
}
