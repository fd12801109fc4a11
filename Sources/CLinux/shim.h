#pragma once
// What Swift's Glibc module leaves out: epoll and eventfd, and accept4, which <sys/socket.h> hides behind _GNU_SOURCE.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
