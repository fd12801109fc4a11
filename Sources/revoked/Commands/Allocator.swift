internal import CLinux

/// How glibc's allocator is set up for a process that lives long and is watched for its size.
enum Allocator {
  /// What a start frees, of the index's filters above all, would stay with the process otherwise: glibc raises the threshold to the size of
  /// what is freed, so that the next one of that size comes from the heap. At ten million sessions it is 5 MB.
  ///
  /// Above any body of the usual limit: to map, touch and unmap a buffer for each request of 200 KB made a forged one cost 1.5 times the processor.
  static func bound() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // As glibc would have it for that threshold. By itself the end of the heap goes back, and comes again, for each such body.
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
    // Each further thread of Dispatch's would keep a heap of its own.
    mallopt(M_ARENA_MAX, 1)
  }
}
