/* Stands between a program and the system (LD_PRELOAD): counts the steps with which the program
 * changes a disk or says something to somebody, and lets one of them fail.
 *
 * What is to fail stands in the file that FAULTS_ORDER names, in one line, SERIAL VERB NUMBER PART
 * WORDS:
 *
 *     1 kill 17 - -         the program ends, as by SIGKILL, in place of its 17th step
 *     2 sync 1 im.db -      the first sync of a file with this in its path does nothing, and fails
 *     3 sync 1 im.db lunch  the first of them behind a write of these words to a file
 *     4 lie 0 im.db -       each of them does nothing, and succeeds
 *     5 slow 300 im.db -    each of them waits for 300 ms before it does its work
 *     6 eio 9 /data/ -      the ninth step that opens or changes something with this in its path does
 *                           nothing, and fails
 *     7 enospc 9 /data/ -   the ninth of those that may need room finds none
 *     8 eintr 9 /data/ -    the ninth of those that the system may interrupt is interrupted
 *     9 short 9 /data/ -    the ninth write of two bytes or more writes half of them
 *
 * An order with another serial is a new one, and counting begins again. As long as there is no file,
 * nothing is counted. Each step that was counted is a line of the file FAULTS_ORDER with ".steps"
 * behind it, written before the step is taken. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum verdict { GO, SKIP, FAIL, HALVE };

/* What a step does; of most kinds some faults make no sense. */
enum kind { WRITES, CUTS, SYNCS, NAMES, REMOVES, MAKES, OPENS };

struct order {
    long serial;
    char verb[8];
    long number;
    char part[128];
    char words[64];
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long serial = -1;
static long count;
/* The words of the order were written. */
static int is_written;

/* Whether there is an order. Only system calls that nobody counts. */
static int read_order(struct order *order) {
    char text[256];
    const char *name = getenv("FAULTS_ORDER");
    if (name == NULL)
        return 0;
    int file = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length < 0)
        return 0;
    text[length] = 0;
    return sscanf(text, "%ld %7s %ld %127s %63s", &order->serial, order->verb, &order->number,
                  order->part, order->words) == 5;
}

static void note(const char *call, const char *path) {
    char name[4096], line[4400];
    snprintf(name, sizeof name, "%s.steps", getenv("FAULTS_ORDER"));
    int length = snprintf(line, sizeof line, "%ld %s %s\n", count, call, path);
    int file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) {
        syscall(SYS_write, file, line, length);
        syscall(SYS_close, file);
    }
}

static void nap(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0)
        ;
}

/* Whether a step can go wrong in this way. A program may open what is there as often as it likes:
 * a kill there is one at the next step that changes something. */
static int may(const char *verb, enum kind kind, size_t size) {
    if (strcmp(verb, "kill") == 0)
        return kind != OPENS;
    if (strcmp(verb, "sync") == 0 || strcmp(verb, "lie") == 0 ||
        strcmp(verb, "slow") == 0)
        return kind == SYNCS;
    if (strcmp(verb, "enospc") == 0)
        return kind == WRITES || kind == SYNCS || kind == NAMES || kind == MAKES;
    if (strcmp(verb, "eintr") == 0)
        return kind == WRITES || kind == CUTS || kind == MAKES || kind == OPENS;
    if (strcmp(verb, "short") == 0)
        return kind == WRITES && size > 1;
    return strcmp(verb, "eio") == 0;
}

static int error_of(const char *verb) {
    if (strcmp(verb, "enospc") == 0)
        return ENOSPC;
    return strcmp(verb, "eintr") == 0 ? EINTR : EIO;
}

/* What becomes of this step, which writes these bytes. One that fails leaves its error in errno. */
static enum verdict step(const char *call, const char *path, enum kind kind, const void *from,
                         size_t size) {
    struct order order;
    enum verdict verdict = GO;
    long nap_ms = 0;
    int kept = errno;
    pthread_mutex_lock(&turn);
    if (read_order(&order)) {
        int kills = strcmp(order.verb, "kill") == 0;
        if (order.serial != serial) {
            serial = order.serial;
            count = 0;
            is_written = strcmp(order.words, "-") == 0;
        }
        if (from != NULL && memmem(from, size, order.words, strlen(order.words)) != NULL)
            is_written = 1;
        if (may(order.verb, kind, size) &&
            (kills || (is_written && strstr(path, order.part) != NULL))) {
            count++;
            note(call, path);
            if (kills && count == order.number) {
                syscall(SYS_kill, getpid(), SIGKILL);
                for (;;)
                    pause();
            }
            if (strcmp(order.verb, "lie") == 0)
                verdict = SKIP;
            if (strcmp(order.verb, "slow") == 0)
                nap_ms = order.number;
            else if (!kills && count == order.number)
                verdict = strcmp(order.verb, "short") == 0 ? HALVE : FAIL;
        }
    }
    pthread_mutex_unlock(&turn);
    /* Others may go on meanwhile. */
    nap(nap_ms);
    errno = verdict == FAIL ? error_of(order.verb) : kept;
    return verdict;
}

/* The same of an open file. Pipes, terminals and what threads wake each other with do not count. */
static enum verdict step_of(const char *call, int file, enum kind kind, const void *from,
                            size_t size) {
    char link[64], path[4096];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlink, link, path, sizeof path - 1);
    errno = kept;
    if (length <= 0)
        return GO;
    path[length] = 0;
    if (strncmp(path, "/dev/", 5) == 0 || (path[0] != '/' && strncmp(path, "socket:", 7) != 0))
        return GO;
    return step(call, path[0] == '/' ? path : "socket", kind, from, size);
}

#define REAL(type, name, parameters)                                                               \
    static type(*real) parameters;                                                                 \
    if (real == NULL)                                                                              \
        real = (type(*) parameters)dlsym(RTLD_NEXT, #name)

/* A write of these many bytes. */
#define OF_BYTES(name, parameters, arguments)                                                      \
    ssize_t name parameters {                                                                      \
        REAL(ssize_t, name, parameters);                                                           \
        enum verdict verdict = step_of(#name, file, WRITES, from, size);                           \
        if (verdict == FAIL)                                                                       \
            return -1;                                                                             \
        if (verdict == HALVE)                                                                      \
            size /= 2;                                                                             \
        return real arguments;                                                                     \
    }

#define OF_A_FILE(type, name, kind, parameters, arguments)                                         \
    type name parameters {                                                                         \
        REAL(type, name, parameters);                                                              \
        switch (step_of(#name, file, kind, NULL, 0)) {                                             \
        case SKIP:                                                                                 \
            return 0;                                                                              \
        case FAIL:                                                                                 \
            return -1;                                                                             \
        default:                                                                                   \
            return real arguments;                                                                 \
        }                                                                                          \
    }

OF_BYTES(write, (int file, const void *from, size_t size), (file, from, size))
OF_BYTES(pwrite, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
OF_BYTES(pwrite64, (int file, const void *from, size_t size, off64_t at), (file, from, size, at))
OF_A_FILE(ssize_t, writev, WRITES, (int file, const struct iovec *from, int parts),
          (file, from, parts))
OF_A_FILE(ssize_t, send, WRITES, (int file, const void *from, size_t size, int flags),
          (file, from, size, flags))
OF_A_FILE(ssize_t, sendto, WRITES,
          (int file, const void *from, size_t size, int flags, const struct sockaddr *to,
           socklen_t length),
          (file, from, size, flags, to, length))
OF_A_FILE(ssize_t, sendmsg, WRITES, (int file, const struct msghdr *from, int flags),
          (file, from, flags))
OF_A_FILE(int, ftruncate, CUTS, (int file, off_t length), (file, length))
OF_A_FILE(int, ftruncate64, CUTS, (int file, off64_t length), (file, length))
OF_A_FILE(int, fsync, SYNCS, (int file), (file))
OF_A_FILE(int, fdatasync, SYNCS, (int file), (file))

#define OF_A_NAME(name, kind, parameters, arguments)                                               \
    int name parameters {                                                                          \
        REAL(int, name, parameters);                                                               \
        return step(#name, path, kind, NULL, 0) == FAIL ? -1 : real arguments;                     \
    }

OF_A_NAME(rename, NAMES, (const char *path, const char *to), (path, to))
OF_A_NAME(unlink, REMOVES, (const char *path), (path))
OF_A_NAME(unlinkat, REMOVES, (int folder, const char *path, int flags), (folder, path, flags))
OF_A_NAME(mkdir, NAMES, (const char *path, mode_t mode), (path, mode))
OF_A_NAME(rmdir, REMOVES, (const char *path), (path))

/* A file that is there is opened; one that is not is made. */
static int makes(const char *path, int flags) {
    struct stat about;
    int kept = errno;
    int is_new = (flags & O_CREAT) && fstatat(AT_FDCWD, path, &about, 0) != 0;
    errno = kept;
    return is_new;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        REAL(int, name, (const char *, int, ...));                                                 \
        mode_t mode = 0;                                                                           \
        if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {                               \
            va_list more;                                                                          \
            va_start(more, flags);                                                                 \
            mode = va_arg(more, int);                                                              \
            va_end(more);                                                                          \
        }                                                                                          \
        enum kind kind = makes(path, flags) ? MAKES : OPENS;                                       \
        if (step(#name, path, kind, NULL, 0) == FAIL)                                              \
            return -1;                                                                             \
        return real(path, flags, mode);                                                            \
    }

OPEN(open)
OPEN(open64)
