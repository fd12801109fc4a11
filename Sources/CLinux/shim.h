#pragma once
// What Swift's Glibc module leaves out: epoll, eventfd, mallopt, statx and the flags of memfd_create, and what
// <sys/socket.h>, <sys/mman.h> and <unistd.h> hide behind _GNU_SOURCE. And the flag of a folder whose files are
// overwritten in place, which takes an ioctl.
#include <linux/memfd.h>
#include <linux/stat.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int ends[2], int flags);
int memfd_create(const char *name, unsigned int flags);
int statx(int directory, const char *restrict path, int flags, unsigned int mask, struct statx *restrict result);

/// Has the files that are made in the folder from now on overwritten in place, where they would not be: on btrfs.
static inline void clinux_overwrite_in_place(int folder) {
  // <linux/magic.h> and <linux/fs.h>; the latter does not go together with <sys/mount.h>.
  const unsigned long btrfs = 0x9123683E;
  const int no_copy_on_write = 0x00800000;
  struct statfs system;
  int flags = 0;
  if (fstatfs(folder, &system) != 0 || (unsigned long)system.f_type != btrfs) return;
  if (ioctl(folder, _IOR('f', 1, long), &flags) != 0) return;
  flags |= no_copy_on_write;
  ioctl(folder, _IOW('f', 2, long), &flags);
}
