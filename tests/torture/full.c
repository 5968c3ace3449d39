/* Preloaded into a process: while the file $SLOTBEAM_FULL_FLAG exists, writing to any regular file fails with ENOSPC. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char *flag;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("SLOTBEAM_FULL_FLAG");
    flag = named ? strdup(named) : NULL; /* servers write their title over their environment */
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
}

static int full(int file) {
    struct stat found;
    int before = errno;
    int result = flag && access(flag, F_OK) == 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode);
    errno = result ? ENOSPC : before;
    return result;
}

ssize_t write(int file, const void *data, size_t size) { return full(file) ? -1 : real_write(file, data, size); }

ssize_t writev(int file, const struct iovec *data, int count) {
    return full(file) ? -1 : real_writev(file, data, count);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return full(file) ? -1 : real_pwrite(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at) {
    return full(file) ? -1 : real_pwrite(file, data, size, at);
}
