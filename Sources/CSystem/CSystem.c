#define _GNU_SOURCE 1
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int csystem_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }

int csystem_flock_exclusive(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }
int csystem_flock_shared(int fd) { return flock(fd, LOCK_SH | LOCK_NB); }
int csystem_unlock(int fd) { return flock(fd, LOCK_UN); }

int csystem_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int csystem_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC); }

int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int csystem_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }

int csystem_signalfd_next(int fd) {
    struct signalfd_siginfo info;
    ssize_t count;
    do {
        count = read(fd, &info, sizeof info);
    } while (count < 0 && errno == EINTR);
    return count == sizeof info ? (int)info.ssi_signo : 0;
}

int csystem_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int csystem_spawn_chdir(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int csystem_spawn_closefrom(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int csystem_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status); }

int csystem_file_kind(const char *path, int *kind, int64_t *size, int64_t *modified_ns) {
    struct stat out;
    if (stat(path, &out) != 0) return -1;
    *kind = S_ISDIR(out.st_mode) ? 1 : S_ISREG(out.st_mode) ? 2 : 3;
    *size = out.st_size;
    *modified_ns = (int64_t)out.st_mtim.tv_sec * 1000000000 + out.st_mtim.tv_nsec;
    return 0;
}

int csystem_free_space(const char *path, uint64_t *bytes) {
    struct statvfs out;
    if (statvfs(path, &out) != 0) return -1;
    *bytes = (uint64_t)out.f_bavail * out.f_frsize;
    return 0;
}

void csystem_name_this_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
