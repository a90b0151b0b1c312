#include "init.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(pid_t command) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    int signal = sigwaitinfo(&all, NULL);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      kill(command, signal);
      continue;
    }
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != command) continue;
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
}

int init_fork(void) {
  /* Before the fork: a child that ends at once must not be missed. */
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  /* Before it, too: the command may look. It gets its own name with its program. */
  prctl(PR_SET_NAME, "tsimg-init");
  pid_t command = fork();
  if (command < 0) return -errno;
  if (command == 0) return 0;
  /* The launcher takes the end of the report socket for the start of the command. */
  syscall(SYS_close_range, 3u, ~0u, 0);
  serve(command);
  _exit(125);
}
