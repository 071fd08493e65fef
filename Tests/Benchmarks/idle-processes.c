/* So many processes that do nothing, until this one ends. */
#include "reference.h"

#include <sys/prctl.h>

int main(int count, char **arguments) {
    if (count != 2) usage("idle-processes COUNT");
    for (long left = atol(arguments[1]); left > 0; left--) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    puts("ready"), fflush(stdout);
    for (;;) pause();
}
