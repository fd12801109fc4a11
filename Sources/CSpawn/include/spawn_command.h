#pragma once
#include <stdint.h>
#include <sys/types.h>

/// Which process a command is, for somebody who has to end it after its parent was killed.
struct command_note {
  /// Leads a process group. 0: none.
  int32_t process;
  uint32_t unused;
  /// When it began, in nanoseconds of CLOCK_BOOTTIME.
  uint64_t started;
};

struct command_plan {
  /// Paths, tried in turn as `execvp` does. Ends in a null pointer.
  const char *const *programs;
  /// Each ends in a null pointer.
  char *const *arguments, *const *environment;
  /// What the command has as standard input, output and error. It has no other descriptor.
  int input, output, error;
  /// The soft limit on its descriptors; 0: ours.
  uint64_t descriptors;
  /// Where the child writes what it is before the command begins; null: nowhere.
  struct command_note *note;
};

/// Starts a command in a process group of its own, with no signal blocked or ignored. Returns 0, or an error number.
///
/// `descriptor` becomes the process's pidfd, or -1 on a kernel without them (before 5.2).
int spawn_command(const struct command_plan *plan, pid_t *process, int *descriptor);
