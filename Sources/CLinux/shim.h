#pragma once
// What Swift's Glibc module leaves out: epoll, eventfd, mallopt, statx and the flags of memfd_create, and what
// <sys/socket.h>, <sys/mman.h> and <unistd.h> hide behind _GNU_SOURCE.
#include <linux/memfd.h>
#include <linux/stat.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int ends[2], int flags);
int memfd_create(const char *name, unsigned int flags);
int statx(int directory, const char *restrict path, int flags, unsigned int mask, struct statx *restrict result);
