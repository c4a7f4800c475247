#pragma once
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

// What Swift does not import: variadic calls, function-like macros, names shared by a struct and a function, and
// calls that need _GNU_SOURCE. That macro must not be defined here: it would change types that Swift's Glibc module
// declares too.

int csystem_open(const char *path, int flags, mode_t mode);
int csystem_flock_exclusive(int fd);
int csystem_flock_shared(int fd);
int csystem_unlock(int fd);
int csystem_set_nonblocking(int fd);

// All descriptors are close-on-exec; eventfd and signalfd are non-blocking.
int csystem_pipe(int fds[2]);
int csystem_eventfd(void);
int csystem_signalfd(const sigset_t *signals);
// The number of the next signal, 0 when none waits.
int csystem_signalfd_next(int fd);
int csystem_pidfd_open(pid_t pid);

int csystem_spawn_chdir(posix_spawn_file_actions_t *actions, const char *path);
// The program gets no descriptor from this one on.
int csystem_spawn_closefrom(posix_spawn_file_actions_t *actions, int first);
// The exit code, or 256 + the signal that ended the process.
int csystem_exit_status(int status);

// 0 and the kind of the file: 1 a directory, 2 a regular file, 3 anything else.
int csystem_file_kind(const char *path, int *kind, int64_t *size, int64_t *modified_ns);
int csystem_free_space(const char *path, uint64_t *bytes);

void csystem_name_this_thread(const char *name);
