#include "killgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A group whose processes fork faster than this kills them: give up, with EBUSY. */
#define ROUNDS 1000

/* How many it has found and killed, or a negated errno. */
static int kill_listed(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -errno;
  char data[4096];
  size_t used = 0;
  int killed = 0;
  for (;;) {
    ssize_t size = read(fd, data + used, sizeof data - 1 - used);
    if (size <= 0) break;
    used += (size_t)size;
    data[used] = 0;
    char *at = data, *end;
    for (long pid; (pid = strtol(at, &end, 10)) > 0 && *end == '\n'; at = end + 1) {
      kill((pid_t)pid, SIGKILL);
      killed++;
    }
    /* The beginning of a number whose end is still to be read. */
    size_t rest = (size_t)(data + used - at);
    for (size_t i = 0; i < rest; i++) data[i] = at[i];
    used = rest;
  }
  close(fd);
  return killed;
}

int killgroup(const char *path) {
  for (int round = 0; round < ROUNDS; round++) {
    int killed = kill_listed(path);
    if (killed <= 0) return killed;
    struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
  }
  return -EBUSY;
}
