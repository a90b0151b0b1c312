#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

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
  return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -1 : copy;
}

void seal_program(char **argv) {
#ifdef TSIMG_WEAK_NO_SEAL
  (void)argv;
#else
  int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int seals = program < 0 ? -1 : fcntl(program, F_GET_SEALS);
  if (seals >= 0 && (seals & SEALS) == SEALS) {
    close(program);
    return;
  }
  int copy = program < 0 ? -1 : sealed_copy(program);
  if (copy >= 0) syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
  dprintf(STDERR_FILENO, "tsimg: warning: running the launcher from memory: %s\n", strerror(errno));
#endif
}
