#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

static int open_of(pid_t pid, const char *name, int flags) {
  struct text path;
  path.used = 0;
  text_add(&path, "/proc/");
  text_add_number(&path, pid);
  text_add(&path, name);
  int fd = open(text_string(&path), flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static int write_map(pid_t pid, const char *name, const char *map) {
  int fd = open_of(pid, name, O_WRONLY);
  if (fd < 0) return fd;
  /* The kernel takes a map in one write or not at all. */
  int failed = write(fd, map, strlen(map)) < 0 ? -errno : 0;
  close(fd);
  return failed;
}

int userns_make(const char *uid_map, const char *gid_map) {
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return -errno;
  if (pid == 0)
    for (;;) pause();
  int answer = write_map(pid, "/uid_map", uid_map);
  if (answer == 0) answer = write_map(pid, "/gid_map", gid_map);
  if (answer == 0) answer = open_of(pid, "/ns/user", O_RDONLY);
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return answer;
}
