#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

int init_main(char **command) {
  int failed = init_fork();
  if (failed == 0) {
    /* A group of its own, in front at the terminal if there is one: ^C is for the command. */
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpid());
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command[0], command);
    failed = -errno;
  }
  dprintf(STDERR_FILENO, "tsimg: exec: \"%s\": %s\n", command[0], strerror(-failed));
  return failed == -ENOENT ? 127 : 126;
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
