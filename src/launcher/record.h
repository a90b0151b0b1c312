/* started.json and exit.json: what other tsimg processes know of this container. */
#ifndef TSIMG_RECORD_H
#define TSIMG_RECORD_H

#include <stdbool.h>
#include <sys/types.h>

struct outcome {
  int status; /* exit status as a shell reports it */
  int signal; /* that ended the container's first process, or 0 */
  bool oom_killed;
  const char *error; /* why it couldn't be started, or NULL */
};

/* All replace the file atomically; a NULL path writes nothing. Failures are told on stderr. */
void record_started(const char *path, pid_t pid);
void record_pid(const char *path, pid_t pid);
void record_exit(const char *path, const struct outcome *outcome);

/* Whether the cgroup file at `path` has a line "oom_kill N" with N > 0. */
bool oom_killed(const char *path);

#endif
