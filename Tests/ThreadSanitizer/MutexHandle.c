// Tells ThreadSanitizer of the locks that it cannot see.
//
// On Linux an uncontended `Mutex` is locked by inlined, instrumented atomics, a contended one by the kernel, called
// from libswiftSynchronization, which is not instrumented. So what one thread did under a lock and the next one does
// after waiting for it is reported as a race. Preloaded, this stands before those two calls and adds the order that
// they make. A suppression would also hide the races of code that only runs under a lock; this hides none.
//
//   mkdir -p .build-tsan
//   clang -shared -fPIC -O1 -o .build-tsan/MutexHandle.so Tests/ThreadSanitizer/MutexHandle.c
//   swift build --build-tests --sanitize=thread --scratch-path .build-tsan
//   LD_PRELOAD=$PWD/.build-tsan/MutexHandle.so swift test --skip-build --sanitize=thread --no-parallel \
//     --scratch-path .build-tsan --disable-xctest --skip AcceptanceTests
// The acceptance tests start servers that this is not loaded into.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
// Synchronization._MutexHandle._lockSlow(Swift.UInt32) and ._unlockSlow()
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// The sanitizer's own, in the executable; absent in others that inherit LD_PRELOAD.
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

SWIFT void lock(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT void unlock(SELF void *handle) __asm__(UNLOCK);

SWIFT void lock(uint32_t thread, SELF void *handle) {
  ((SWIFT void (*)(uint32_t, SELF void *))dlsym(RTLD_NEXT, LOCK))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

// Before the call: after it, another thread may hold the lock.
SWIFT void unlock(SELF void *handle) {
  if (__tsan_release) __tsan_release(handle);
  ((SWIFT void (*)(SELF void *))dlsym(RTLD_NEXT, UNLOCK))(handle);
}
