/* Makes POSIX message queues for messages of 1024 bytes: make-queues NAME DEPTH [NAME DEPTH]...
 *
 * Queues are counted for the real user who makes them, 800 KiB for each (RLIMIT_MSGQUEUE). Root becomes
 * another one first, so that each caller has all of it, whoever else makes queues on this machine.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (geteuid() == 0 && setreuid(200000 + (uid_t)getpid(), (uid_t)-1) < 0) {
        perror("setreuid");
        return 1;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        struct mq_attr attributes = {.mq_maxmsg = atol(argv[i + 1]), .mq_msgsize = 1024};
        mqd_t queue = mq_open(argv[i], O_WRONLY | O_CREAT | O_EXCL, 0600, &attributes);
        if (queue < 0) {
            perror(argv[i]);
            return 1;
        }
        mq_close(queue);
    }
    return 0;
}
