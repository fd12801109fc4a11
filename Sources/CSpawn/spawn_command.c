#define _GNU_SOURCE
#include "spawn_command.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// posix_spawn, which is made in the same way, can set no limit, gives no pidfd and has no place for the note: a parent
// that is killed before it has written it down would leave a command that nothing knows of.

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_ON_EXEC 4

struct child {
  const struct command_plan *plan;
  int error;
};

/// So that no `dup2` below replaces what a later one needs.
static int above_standard(int descriptor) {
  return descriptor > STDERR_FILENO ? descriptor : fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static void write_note(struct command_note *note) {
  struct timespec now = {0};
  clock_gettime(CLOCK_BOOTTIME, &now);
  note->started = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  note->process = getpid();
}

/// Returns an error number, or does not return.
static int begin(const struct command_plan *plan) {
  if (setpgid(0, 0) != 0) return errno;
  if (plan->note != NULL) write_note(plan->note);

  int input = above_standard(plan->input), output = above_standard(plan->output), error = above_standard(plan->error);
  if (input < 0 || output < 0 || error < 0) return errno;
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(error, STDERR_FILENO) < 0) return errno;
  // All of ours are closed on exec; those of whoever embeds us may not be. Kernels before 5.11 do not know the call.
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_ON_EXEC);

  struct rlimit limit;
  if (plan->descriptors != 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = plan->descriptors < limit.rlim_max ? plan->descriptors : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  // Before signals are let in: a handler of the parent's would run in the parent's memory.
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) sigaction(number, &usual, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);

  int reason = ENOENT;
  for (const char *const *program = plan->programs; *program != NULL; program++) {
    execve(*program, plan->arguments, plan->environment);
    if (errno == EACCES) reason = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR) return errno;
  }
  return reason;
}

static int run(void *context) {
  struct child *child = context;
  child->error = begin(child->plan);
  _exit(127);
}

int spawn_command(const struct command_plan *plan, pid_t *process, int *descriptor) {
  struct child child = {plan, 0};
  // For system calls only; it is the thread's own, which stands still until the child has left it.
  _Alignas(16) char stack[32768];
  // All of them, glibc's own too: the child must not handle one in our memory.
  uint64_t all = ~(uint64_t)0, mask = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof mask);
  *descriptor = -1;
  // Our memory and not a copy, which would take longer the more of it there is.
  pid_t number = clone(
      run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, descriptor);
  int reason = number < 0 ? errno : child.error;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
  if (number >= 0 && reason != 0) {
    // It has ended, without a command.
    siginfo_t info;
    while (waitid(P_PID, (id_t)number, &info, WEXITED) != 0 && errno == EINTR) {}
    if (*descriptor >= 0) close(*descriptor);
  }
  *process = number;
  return reason;
}
