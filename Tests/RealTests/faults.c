// LD_PRELOAD: what a disk can do to a program, at a moment of the tester's choosing.
//
// Counts the barriers (fsync, fdatasync) or the writes (write, pwrite, ftruncate, fallocate) of files below FAULT_ROOT and
// at number FAULT_AT does what FAULT_MODE says:
//   barriers: count    nothing; how many there were is left in FAULT_COUNT
//             eio      fails once        eio-on   fails from then on
//             kill     dies before it    cut      dies before it, and what was never synced is gone
//             after    as cut, but the barrier still succeeds
//             torn     as cut, but some of what was never synced is there (FAULT_SEED says which)
//             drop     fails once, and what was not synced by then never will be, though it can be read: what a kernel does
//                      after a failed sync; the power goes FAULT_THEN barriers later
//   writes:   full     fails once with ENOSPC, short   writes half and then fails
//             full-on  fails from then on
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct change {
    struct change *before;
    dev_t device;
    ino_t file;
    char path[4096];
    off_t offset, size;
    int is_lost;
    size_t old_length, new_length;
    unsigned char *old_bytes, *new_bytes;
};

static struct change *unsynced;
static long barriers, writes;
static const char *root, *mode;
static long at, then;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, off_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t), (*real_pwrite)(int, const void *, size_t, off_t);

__attribute__((constructor)) static void begin(void) {
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    root = getenv("FAULT_ROOT");
    mode = getenv("FAULT_MODE");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    then = getenv("FAULT_THEN") ? atol(getenv("FAULT_THEN")) : 0;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld %ld\n", barriers, writes);
    fclose(file);
}

static int is(const char *name) { return mode && !strcmp(mode, name); }

// The path of a file below the root, without SQLite's shared memory, which no crash is to find.
static int below(int file, char *path) {
    char link[64];
    if (!root) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, 4095);
    if (length <= 0) return 0;
    path[length] = 0;
    size_t stem = strlen(root);
    return !strncmp(path, root, stem) && (path[stem] == '/' || !path[stem]) && !(length > 4 && !strcmp(path + length - 4, "-shm"));
}

// Forgets changes of a file: all that a sync brought to the disk, or those that another write takes the place of.
static void forget(int file, int lost_only, off_t from, off_t to) {
    struct stat facts;
    if (fstat(file, &facts)) return;
    struct change **place = &unsynced;
    while (*place) {
        struct change *change = *place;
        int is_same = change->device == facts.st_dev && change->file == facts.st_ino;
        int is_inside = change->offset >= from && change->offset + (off_t)change->new_length <= to;
        if (is_same && change->is_lost == lost_only && is_inside) {
            *place = change->before;
            free(change->old_bytes);
            free(change->new_bytes);
            free(change);
        } else {
            place = &change->before;
        }
    }
}

static const off_t everything = (off_t)1 << 60;

static void synced(int file) { forget(file, 0, 0, everything); }

static void lose(int file) {
    struct stat facts;
    if (fstat(file, &facts)) return;
    for (struct change *change = unsynced; change; change = change->before) {
        if (change->device == facts.st_dev && change->file == facts.st_ino) change->is_lost = 1;
    }
}

static void note(int file, const char *path, const void *bytes, size_t length, off_t offset) {
    struct stat facts;
    if (fstat(file, &facts) || !S_ISREG(facts.st_mode)) return;
    forget(file, 1, offset, bytes ? offset + (off_t)length : everything);
    struct change *change = calloc(1, sizeof *change);
    change->device = facts.st_dev;
    change->file = facts.st_ino;
    strcpy(change->path, path);
    change->offset = offset;
    change->size = facts.st_size;
    change->old_bytes = malloc(length ? length : 1);
    ssize_t old = offset < facts.st_size ? pread(file, change->old_bytes, length, offset) : 0;
    change->old_length = old > 0 ? (size_t)old : 0;
    change->new_bytes = malloc(length ? length : 1);
    if (bytes) memcpy(change->new_bytes, bytes, length);
    change->new_length = bytes ? length : 0;
    change->before = unsynced;
    unsynced = change;
}

// The disk as it is after the power went: without what was never synced, or with some of it.
static void undo(void) {
    uint64_t seed = getenv("FAULT_SEED") ? strtoull(getenv("FAULT_SEED"), NULL, 10) : 1;
    struct change *forward = NULL;
    for (struct change *change = unsynced; change;) {
        struct change *next = change->before;
        int file = open(change->path, O_RDWR);
        if (file >= 0) {
            if (change->old_length) real_pwrite(file, change->old_bytes, change->old_length, change->offset);
            real_ftruncate(file, change->size);
            close(file);
        }
        change->before = forward;
        forward = change;
        change = next;
    }
    if (!is("torn")) return;
    for (struct change *change = forward; change; change = change->before) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        if ((seed >> 33) & 1 || !change->new_length) continue;
        int file = open(change->path, O_RDWR);
        if (file < 0) continue;
        real_pwrite(file, change->new_bytes, change->new_length, change->offset);
        close(file);
    }
}

static int barrier(int (*real)(int), int file) {
    char path[4096];
    if (!below(file, path)) return real(file);
    pthread_mutex_lock(&lock);
    long number = ++barriers;
    int now = at && number == at;
    if (now && is("kill")) kill(getpid(), SIGKILL);
    if (now && (is("cut") || is("torn") || is("after"))) {
        if (is("after") && !real(file)) synced(file);
        undo();
        kill(getpid(), SIGKILL);
    }
    if (now && is("drop")) lose(file);
    if (is("drop") && at && number == at + then) {
        undo();
        kill(getpid(), SIGKILL);
    }
    int fails = (now && (is("eio") || is("drop"))) || (at && number >= at && is("eio-on"));
    if (!fails) synced(file);
    pthread_mutex_unlock(&lock);
    if (!fails) return real(file);
    errno = EIO;
    return -1;
}

int fsync(int file) { return barrier(real_fsync, file); }
int fdatasync(int file) { return barrier(real_fdatasync, file); }

// Whether this write fails; *half where half of it is to be written.
static int is_full(int *half) {
    long number = ++writes;
    *half = at && number == at && is("short");
    return (at && number == at && is("full")) || (at && number == at + 1 && is("short"))
        || (at && number >= at && is("full-on"));
}

static ssize_t put(int file, const void *bytes, size_t length, off_t offset, int positioned) {
    char path[4096];
    if (!below(file, path)) {
        return positioned ? real_pwrite(file, bytes, length, offset) : real_write(file, bytes, length);
    }
    pthread_mutex_lock(&lock);
    int half;
    if (is_full(&half)) {
        pthread_mutex_unlock(&lock);
        errno = ENOSPC;
        return -1;
    }
    if (half && length > 1) length /= 2;
    note(file, path, bytes, length, positioned ? offset : lseek(file, 0, SEEK_CUR));
    ssize_t result = positioned ? real_pwrite(file, bytes, length, offset) : real_write(file, bytes, length);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int file, const void *bytes, size_t length) { return put(file, bytes, length, 0, 0); }
ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return put(file, bytes, length, at, 1); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) { return put(file, bytes, length, at, 1); }

static int resize(int file, off_t size) {
    char path[4096];
    if (!below(file, path)) return real_ftruncate(file, size);
    pthread_mutex_lock(&lock);
    struct stat facts;
    if (!fstat(file, &facts) && size < facts.st_size) note(file, path, NULL, (size_t)(facts.st_size - size), size);
    int result = real_ftruncate(file, size);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int file, off_t size) { return resize(file, size); }
int ftruncate64(int file, off64_t size) { return resize(file, size); }
