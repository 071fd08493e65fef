/* Says when the kernel tells that tasks wait for a CPU: the time of each notice in nanoseconds since 1970, one a line. */
#include "reference.h"

#include <poll.h>
#include <sched.h>

int main(int count, char **arguments) {
    if (count != 3) usage("pressure-witness THRESHOLD WINDOW, in microseconds");
    char command[64];
    int length = snprintf(command, sizeof command, "some %s %s", arguments[1], arguments[2]) + 1;
    int file = open("/proc/pressure/cpu", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || write(file, command, (size_t)length) < 0) fail("/proc/pressure/cpu");
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 10}) < 0) fail("sched_setscheduler");
    for (;;) {
        if (poll(&(struct pollfd){file, POLLPRI, 0}, 1, -1) < 0) fail("poll");
        printf("%lld\n", (long long)nanoseconds(CLOCK_REALTIME)), fflush(stdout);
    }
}
