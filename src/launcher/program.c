#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

static _Noreturn void become(const char *path, char *const argv[], char *const envp[], bool quiet) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  /* Nobody would know whose chatter that is. */
  if (quiet) dup2(null, STDERR_FILENO);
  execve(path, argv, envp);
  _exit(127);
}

int failed_with(int status) {
  return -(ERROR_STATUS + (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
}

int program_run(const char *path, char *const argv[], char *const envp[],
                enum program_manner manner) {
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    if (manner != PROGRAM_WAIT) setsid();
    if (manner == PROGRAM_ATTEND) prctl(PR_SET_PDEATHSIG, SIGTERM);
    become(path, argv, envp, manner == PROGRAM_ATTEND);
  }
  if (manner != PROGRAM_WAIT) return 0;
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return status == 0 ? 0 : failed_with(status);
}
