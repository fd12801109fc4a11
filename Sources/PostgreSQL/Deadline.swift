#if PostgreSQL
  internal import Glibc

  /// A moment by which something must have happened, on a clock that nobody sets and that goes on while the machine
  /// sleeps (CLOCK_BOOTTIME).
  package struct Deadline: Hashable, Comparable, Sendable {
    /// Nanoseconds since the machine started.
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
      self.nanoseconds = nanoseconds
    }

    package static var now: Deadline {
      var time = timespec()
      // Cannot fail for a clock that the kernel has.
      unsafe _ = clock_gettime(CLOCK_BOOTTIME, &time)
      return Deadline(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func after(_ duration: Duration) -> Deadline { now + duration }

    package static func + (start: Deadline, duration: Duration) -> Deadline {
      Deadline(nanoseconds: start.nanoseconds + UInt64(max(0, duration / .nanoseconds(1))))
    }

    package static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }

    package var hasPassed: Bool { self <= .now }

    /// Until then, rounded up; 0 when it has passed.
    var milliseconds: CInt {
      let now = Deadline.now
      guard now < self else { return 0 }
      return CInt(clamping: (nanoseconds - now.nanoseconds + 999_999) / 1_000_000)
    }
  }
#endif
