/* Stands in for a wall clock that is stepped, by LD_PRELOAD: CLOCK_REALTIME is wrong by as many seconds as
 * the file that WRONG_CLOCK names says. Everything else is as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *result) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, result);
    if (status != 0 || clock != CLOCK_REALTIME) return status;
    const char *path = getenv("WRONG_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return status;
    char text[32] = {0};
    if (read(file, text, sizeof text - 1) > 0) result->tv_sec += atol(text);
    close(file);
    return status;
}
