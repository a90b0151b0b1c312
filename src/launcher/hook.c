#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "text.h"

/* How often is looked whether a hook with a limit of time has ended, in milliseconds. */
#define POLL 5

/* All of it is in the pipe before the hook begins, which may read it or not. */
static int filled_pipe(char *const pieces[]) {
  size_t size = 0;
  for (int i = 0; pieces[i] != NULL; i++) size += strlen(pieces[i]);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  int failed = fcntl(ends[1], F_GETPIPE_SZ) < (int)size && fcntl(ends[1], F_SETPIPE_SZ, size) < 0 ? -E2BIG : 0;
  for (int i = 0; pieces[i] != NULL && failed == 0; i++)
    failed = write_all(ends[1], pieces[i], strlen(pieces[i]));
  close(ends[1]);
  if (failed == 0) return ends[0];
  close(ends[0]);
  return failed;
}

/* Only a failure comes back: execve closes `failures`. */
static _Noreturn void become(const char *path, char *const argv[], char *const envp[], int input,
                             int failures, const char *directory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* What it starts ends with it when it takes too long. */
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (dup2(input, STDIN_FILENO) >= 0 && (null < 0 || dup2(null, STDOUT_FILENO) >= 0) &&
      (directory == NULL || chdir(directory) == 0)) {
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, argv, envp);
  }
  int error = errno;
  (void)!write(failures, &error, sizeof error);
  _exit(127);
}

static int await_end(pid_t child, uint64_t timeout) {
  int status;
  for (uint64_t waited = 0;; waited += POLL) {
    pid_t ended = waitpid(child, &status, timeout == 0 ? 0 : WNOHANG);
    if (ended == child) return status == 0 ? 0 : failed_with(status);
    if (ended < 0 && errno != EINTR) return -errno;
    if (timeout == 0 || ended < 0) continue;
    if (waited >= timeout) break;
    struct timespec pause = {.tv_nsec = POLL * 1000000};
    nanosleep(&pause, NULL);
  }
  kill(-child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return -ETIMEDOUT;
}

int hook_run(const char *path, char *const argv[], char *const envp[], char *const pieces[],
             uint64_t timeout, const char *directory) {
  int input = filled_pipe(pieces);
  if (input < 0) return input;
  int failures[2];
  if (pipe2(failures, O_CLOEXEC) < 0) {
    int error = errno;
    close(input);
    return -error;
  }
  pid_t child = fork();
  if (child == 0) become(path, argv, envp, input, failures[1], directory);
  int answer = child < 0 ? -errno : 0;
  close(input);
  close(failures[1]);
  int error = 0;
  bool ran = child > 0 && read(failures[0], &error, sizeof error) != sizeof error;
  close(failures[0]);
  if (child < 0) return answer;
  answer = await_end(child, timeout);
  return ran ? answer : -error;
}
