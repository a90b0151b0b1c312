#include "handover.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The copy's process ID as the launcher sees it, in memory that launcher and child share. */
static pid_t *successor;

bool handover_prepare(void) {
  void *memory = mmap(NULL, sizeof *successor, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  successor = memory;
  return true;
}

void handover_enter(void) {
  if (successor == NULL) return;
  madvise(successor, sizeof *successor, MADV_DONTFORK);
  forget_environment();
}

void forget_environment(void) {
  for (char **entry = environ; *entry != NULL; entry++) memset(*entry, 0, strlen(*entry));
}

int handover(void) {
  if (successor == NULL) return -EINVAL;
  /* The kernel writes the number before the copy runs. */
  long flags = CLONE_PARENT | CLONE_PARENT_SETTID;
  long copy = syscall(SYS_clone, flags, 0, successor, 0, 0);
  if (copy < 0) return -errno;
  if (copy > 0) _exit(0);
  return 0;
}

pid_t handover_finish(pid_t child, bool started) {
  if (successor == NULL) return child;
  /* It is left to be reaped, so that its number stays its own. */
  siginfo_t info;
  bool over = !started || *successor != 0;
  while (over && waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
    ;
  pid_t copy = *successor;
  munmap(successor, sizeof *successor);
  successor = NULL;
  if (copy == 0) return child;
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
    ;
  return copy;
}
