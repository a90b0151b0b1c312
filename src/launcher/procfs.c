#include "procfs.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover.h"

/* Others in the namespace may stop the process that we wait for. */
#define PATIENCE_SECONDS 10

#define ALONE (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/* Room for one descriptor beside an errno. */
union control {
  char data[CMSG_SPACE(sizeof(int))];
  struct cmsghdr align;
};

static void answer(int socket, int error, int fd) {
  union control control = {0};
  struct iovec part = {&error, sizeof error};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = control.data;
    message.msg_controllen = sizeof control.data;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  sendmsg(socket, &message, MSG_NOSIGNAL);
}

static int taken(int socket) {
  int error = 0;
  union control control = {0};
  struct iovec part = {&error, sizeof error};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.data,
      .msg_controllen = sizeof control.data,
  };
  ssize_t size;
  while ((size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
    ;
  if (size < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
  }
  return size == sizeof error && error > 0 && error < 4096 ? -error : -EPROTO;
}

/* Nothing to find and nothing to hold: whoever takes control of us gains nothing. */
static int strip(int socket) {
  /* Where user namespaces are switched off, this is what is left of it. */
  if (unshare(ALONE | CLONE_NEWUSER) < 0 && unshare(ALONE) < 0) return -1;
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -1;
  if (mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NODEV | MS_NOSUID, "size=4k") < 0) return -1;
  if (chdir("/proc") < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return -1;
  if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) return -1;
  if (dup2(socket, 0) < 0) return -1;
  forget_environment();
  return (int)syscall(SYS_close_range, 1u, ~0u, 0);
}

static void begin(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int context = (int)syscall(SYS_fsopen, "proc", 1u /* FSOPEN_CLOEXEC */);
  answer(0, errno, context);
}

static void make(int pid_namespace, int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  if (setns(pid_namespace, CLONE_NEWPID) < 0 || strip(socket) < 0) return answer(socket, errno, -1);
  pid_t inside = fork();
  if (inside < 0) return answer(0, errno, -1);
  if (inside == 0) {
    begin();
    _exit(0);
  }
  while (waitpid(inside, NULL, 0) < 0 && errno == EINTR)
    ;
}

int procfs_of(int pid_namespace) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
  struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  pid_t maker = fork();
  if (maker == 0) {
    make(pid_namespace, ends[1]);
    _exit(0);
  }
  int error = errno;
  close(ends[1]);
  int context = maker < 0 ? -error : taken(ends[0]);
  close(ends[0]);
  if (maker < 0) return context;
  kill(maker, SIGKILL);
  while (waitpid(maker, NULL, 0) < 0 && errno == EINTR)
    ;
  return context;
}

int procfs_check(int mount) {
  struct statfs status;
  if (fstatfs(mount, &status) < 0) return -errno;
  return status.f_type == PROC_SUPER_MAGIC ? 0 : -EPROTO;
}
