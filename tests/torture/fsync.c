/* Preloaded into a process, notes in $SLOTBEAM_FSYNC_LOG how much of which file is on disk, a line each:
 *
 *   s SIZE DEVICE:INODE:BIRTH PATH   fsync or fdatasync succeeded; SIZE is from before the call
 *   t SIZE DEVICE:INODE:BIRTH PATH   the file was cut to SIZE
 *
 * The birth time tells a file from a later one on the same inode. sync_file_range promises nothing and is not noted.
 * Loaded as a library instead, `identify` says what a file is called in the log. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *log_path;
static int (*real_fsync)(int), (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t), (*real_truncate)(const char *, off_t);

/* At the start: looking a symbol up takes a lock, which a forked child might find taken for ever. */
__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("SLOTBEAM_FSYNC_LOG");
    log_path = named ? strdup(named) : NULL; /* servers write their title over their environment */
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_truncate = dlsym(RTLD_NEXT, "truncate");
}

static long long describe(int directory, const char *path, char *identity, size_t room) {
    struct statx found;
    if (statx(directory, path, AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return -1;
    int born = (found.stx_mask & STATX_BTIME) != 0;
    snprintf(identity, room, "%x.%x:%llu:%lld.%09u", found.stx_dev_major, found.stx_dev_minor,
             (unsigned long long)found.stx_ino, born ? (long long)found.stx_btime.tv_sec : 0,
             born ? found.stx_btime.tv_nsec : 0);
    return (long long)found.stx_size;
}

int identify(const char *path, char *identity, size_t room) {
    return describe(AT_FDCWD, path, identity, room) < 0 ? -1 : 0;
}

static void note(char what, long long size, const char *identity, const char *path) {
    char line[PATH_MAX + 200];
    int length = snprintf(line, sizeof line, "%c %lld %s %s\n", what, size, identity, path);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0 || write(log, line, (size_t)length) != length) abort(); /* no record is worse than no process */
    close(log);
}

static void path_of(int file, char *path) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

static int recorded(int file, int (*real)(int)) {
    char identity[100], path[PATH_MAX];
    long long size = log_path ? describe(file, "", identity, sizeof identity) : -1;
    int result = real(file), error = errno;
    if (result == 0 && size >= 0) {
        path_of(file, path);
        note('s', size, identity, path);
    }
    errno = error;
    return result;
}

int fsync(int file) { return recorded(file, real_fsync); }

int fdatasync(int file) { return recorded(file, real_fdatasync); }

int ftruncate(int file, off_t size) {
    char identity[100], path[PATH_MAX];
    int result = real_ftruncate(file, size), error = errno;
    if (result == 0 && log_path && describe(file, "", identity, sizeof identity) >= 0) {
        path_of(file, path);
        note('t', size, identity, path);
    }
    errno = error;
    return result;
}

int truncate(const char *path, off_t size) {
    char identity[100];
    int result = real_truncate(path, size), error = errno;
    if (result == 0 && log_path && describe(AT_FDCWD, path, identity, sizeof identity) >= 0)
        note('t', size, identity, path);
    errno = error;
    return result;
}

int ftruncate64(int file, off_t size) { return ftruncate(file, size); }

int truncate64(const char *path, off_t size) { return truncate(path, size); }
