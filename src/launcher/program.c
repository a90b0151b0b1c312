#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(const char *path, char *const argv[], char *const envp[]) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  execve(path, argv, envp);
  _exit(127);
}

int program_run(const char *path, char *const argv[], char *const envp[], bool wait) {
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    if (!wait) setsid();
    become(path, argv, envp);
  }
  if (!wait) return 0;
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}
