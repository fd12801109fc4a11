#pragma once
#include <stdint.h>

// A VFS over SQLite's own that fails when told to, and that knows what a power cut leaves. What stands in the files is
// what the kernel's cache shows; beside it every file has an image of what is on the disk, which only a successful sync
// brings up to date. A failed sync does what Linux does: the pages count as clean from then on and never reach the disk
// unless written again.

typedef struct FaultyDisk FaultyDisk;

typedef enum FaultyDiskFault {
  FaultyDiskFails,  // the call does nothing and answers SQLITE_IOERR_…; a sync drops what it should have written
  FaultyDiskTears,  // a write writes its first half; a sync reaches the disk with every other page
  FaultyDiskIsFull, // a write does nothing and answers SQLITE_FULL; anything else works
} FaultyDiskFault;

/// Watches the files in a folder (an absolute path without symbolic links). Makes the VFS the process' default one the
/// first time.
FaultyDisk *faulty_disk_watch(const char *folder);
/// Forgets the folder. No file in it may be open.
void faulty_disk_forget(FaultyDisk *disk);
/// From the n-th write, sync or truncation from now on (counted from 1), `count` of them fail.
void faulty_disk_fail(FaultyDisk *disk, int64_t n, int64_t count, FaultyDiskFault fault);
/// Writes, syncs and truncations so far.
int64_t faulty_disk_calls(FaultyDisk *disk);
/// From now on nothing changes any more, as when the process was killed: what closing would still write is lost.
void faulty_disk_stop(FaultyDisk *disk);
/// After everything was closed: the process is started anew. The kernel's cache is as it was.
void faulty_disk_restart(FaultyDisk *disk);
/// After everything was closed: the power comes back. The files are what is on the disk, and of what was written since
/// the last sync any part, down to single sectors.
void faulty_disk_cut(FaultyDisk *disk, uint64_t seed);
