#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/memfd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A symbolic link to the /proc/PID/exe of a launcher that runs, or did. */
#define LINK_VARIABLE "TSIMG_LAUNCHER"

extern char **environ;

static int memory_file(void) {
  int fd = (int)syscall(SYS_memfd_create, "tsimg-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  /* Before Linux 6.3 every such file may be executed, and the flag is unknown. */
  if (fd < 0 && errno == EINVAL)
    fd = (int)syscall(SYS_memfd_create, "tsimg-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

static int sealed_copy(int program) {
  struct stat status;
  if (fstat(program, &status) < 0) return -1;
  int copy = memory_file();
  if (copy < 0) return -1;
  for (off_t left = status.st_size; left > 0;) {
    ssize_t size = sendfile(copy, program, NULL, (size_t)left);
    if (size <= 0) return -1;
    left -= size;
  }
  /* Nor may it be made a file that can't be executed; Linux 6.3 has that seal. */
  if (fcntl(copy, F_ADD_SEALS, SEALS | F_SEAL_EXEC) == 0) return copy;
  return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -1 : copy;
}

static bool is_sealed(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & SEALS) == SEALS;
}

/* Whether both have the same bytes. */
static bool same_bytes(int one, int other) {
  struct stat status[2];
  if (fstat(one, &status[0]) < 0 || fstat(other, &status[1]) < 0) return false;
  size_t size = (size_t)status[0].st_size;
  if (status[0].st_size <= 0 || status[1].st_size != status[0].st_size) return false;
  void *first = mmap(NULL, size, PROT_READ, MAP_PRIVATE, one, 0);
  void *second = mmap(NULL, size, PROT_READ, MAP_PRIVATE, other, 0);
  bool same = first != MAP_FAILED && second != MAP_FAILED && memcmp(first, second, size) == 0;
  if (first != MAP_FAILED) munmap(first, size);
  if (second != MAP_FAILED) munmap(second, size);
  return same;
}

static bool is_ours(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_uid == geteuid();
}

/*
 * The sealed copy that another launcher runs in. Whatever the link names by now, a process of
 * an ordinary user's for one, of the same number: nobody can change what has these seals, and
 * only this program's own bytes, in a file of this user's, will do.
 */
static int shared_copy(int program) {
  const char *link = getenv(LINK_VARIABLE);
  int copy = link == NULL ? -1 : open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (copy < 0) return -1;
  if (is_sealed(copy) && is_ours(copy) && same_bytes(program, copy)) return copy;
  close(copy);
  return -1;
}

void seal_offer(void) {
  const char *link = getenv(LINK_VARIABLE);
  char target[32], fresh[PATH_MAX];
  if (link == NULL) return;
  snprintf(target, sizeof target, "/proc/%d/exe", getpid());
  if (snprintf(fresh, sizeof fresh, "%s.%d", link, getpid()) >= (int)sizeof fresh) return;
  /* It may be nobody's to write: then every launcher has a copy of its own. */
  if (symlink(target, fresh) == 0 && rename(fresh, link) < 0) unlink(fresh);
}

static void run(int copy, char **argv) {
  if (copy >= 0) syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
}

/* One that runs in a shared copy has none to offer. */
static void run_shared(int copy, char **argv) {
  if (copy < 0) return;
  const char *link = getenv(LINK_VARIABLE);
  unsetenv(LINK_VARIABLE);
  run(copy, argv);
  /* Whoever could open it in a container may have taken the right to execute it away. */
  close(copy);
  setenv(LINK_VARIABLE, link, 1);
}

void seal_program(char **argv) {
#ifdef TSIMG_WEAK_NO_SEAL
  (void)argv;
#else
  int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (program >= 0 && is_sealed(program)) {
    close(program);
    return;
  }
  if (program >= 0) {
    run_shared(shared_copy(program), argv);
    run(sealed_copy(program), argv);
  }
  dprintf(STDERR_FILENO, "tsimg: warning: running the launcher from memory: %s\n", strerror(errno));
#endif
}
