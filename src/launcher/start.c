#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handover.h"
#include "hub.h"
#include "launch.h"

#define REPORT_FD 3

/*
 * What the child says of a step, in one packet. The pty's master rides on one with step -1, and
 * with step -2 it says that it has come so far.
 */
#define COME_SO_FAR ((uint32_t)-2)
struct report {
  uint32_t step;
  int32_t error;
  uint32_t fatal;
};

static int report_socket = -1;

/* ---- in the child ---- */

static void report_step(struct tape *from, const struct tape_step *step, int error, bool fatal) {
  struct report report = {
      .step = (uint32_t)(step - tape_step_at(from, PHASE_CHILD, 0)),
      .error = error,
      .fatal = fatal,
  };
  /* A transient launcher is gone by now: the child's own standard error must do. */
  if (send(REPORT_FD, &report, sizeof report, MSG_NOSIGNAL) < 0) tell(from, step, error, fatal);
}

static _Noreturn void run_child(const int ends[2]) {
  close(ends[0]);
  handover_enter();
  int report = ends[1];
  struct tape *tape = &launch.tape;
  /* An init process shows its command line in the container: no path of the host. */
  memset(launch.tape_path, 0, strlen(launch.tape_path));
  /* All else that is open here is close-on-exec, or closed by the tape. */
  if (report != REPORT_FD) {
    if (dup3(report, REPORT_FD, O_CLOEXEC) < 0) _exit(STATUS_OWN);
    close(report);
  }
  tape->registers[REGISTER_REPORT] = REPORT_FD;
  const struct tape_step *failed = tape_run(tape, PHASE_CHILD, false, report_step);
  _exit(failed == NULL ? STATUS_OWN : failed->status);
}

/* ---- streams ---- */

/*
 * Gives the container a pipe instead of our own descriptor `fd`: when its output is
 * logged, and when it would get hold of the caller's terminal.
 */
static bool make_pipe(int fd, bool to_container, int *ours) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return false;
  *ours = ends[to_container ? 1 : 0];
  launch.tape.registers[REGISTER_STDIN + fd] = ends[to_container ? 0 : 1];
  launch.tape.registers[REGISTER_PIPE_STDIN + fd] = ends[to_container ? 0 : 1];
  return true;
}

/* The caller's own streams are not ours to pass anything to. */
static bool is_apart(void) { return has_option(OPTION_DETACHED) || has_option(OPTION_KEEP_SIGNALS); }

static bool prepare_input(void) {
  bool passed_on = is_apart() || has_option(OPTION_RELAY) || isatty(STDIN_FILENO);
  if (!has_option(OPTION_STDIN) || !passed_on) return true;
  int ours;
  if (!make_pipe(STDIN_FILENO, true, &ours)) return false;
  /* Without a client this stays open and empty: a reader waits, as at an idle terminal. */
  hub_input(ours, false);
  if (!is_apart()) hub_read_input(STDIN_FILENO);
  return true;
}

/* Of a stream that the caller doesn't want, and no log does. */
static bool give_nothing(int fd) {
  int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  launch.tape.registers[REGISTER_STDIN + fd] = nothing;
  return nothing >= 0;
}

static bool prepare_streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    launch.tape.registers[REGISTER_STDIN + fd] = fd;
    launch.tape.registers[REGISTER_PIPE_STDIN + fd] = -1;
  }
  if (has_option(OPTION_TTY) || has_option(OPTION_DIRECT)) return true;
  if (!prepare_input()) return false;
  bool logged = launch.tape.header->log_file != 0;
  bool passed_on = is_apart() || has_option(OPTION_RELAY) || logged;
  for (int fd = 1; fd < 3; fd++) {
    bool left = has_option(fd == 1 ? OPTION_LEAVE_STDOUT : OPTION_LEAVE_STDERR);
    if (left && !logged && !is_apart()) {
      if (!give_nothing(fd)) return false;
      continue;
    }
    if (!passed_on && !isatty(fd)) continue;
    int ours;
    if (!make_pipe(fd, false, &ours)) return false;
    hub_source(fd, ours);
    if (!is_apart() && !left) hub_copy(fd, fd);
  }
  return true;
}

static void close_container_ends(void) {
  for (int fd = 0; fd < 3; fd++)
    if (launch.tape.registers[REGISTER_STDIN + fd] > STDERR_FILENO)
      close((int)launch.tape.registers[REGISTER_STDIN + fd]);
}

static void take_master(struct msghdr *message) {
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  if (control == NULL || control->cmsg_type != SCM_RIGHTS) return;
  int master;
  memcpy(&master, CMSG_DATA(control), sizeof master);
  hub_source(1, master);
  hub_input(master, true);
}

/* ---- the launcher's side ---- */

enum heard { HEARD_END, HEARD_FAILURE, HEARD_COME_SO_FAR };

/* Reads what the child says until there is something to do. */
static enum heard hear(void) {
  for (;;) {
    struct report said;
    union {
      char data[CMSG_SPACE(sizeof(int))];
      struct cmsghdr align;
    } control;
    struct iovec part = {&said, sizeof said};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.data,
        .msg_controllen = sizeof control.data,
    };
    ssize_t size = recvmsg(report_socket, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0 ? HEARD_END : HEARD_FAILURE;
    take_master(&message);
    if (size == sizeof said && said.step == COME_SO_FAR) return HEARD_COME_SO_FAR;
    const struct tape_step *step = tape_step_at(&launch.tape, PHASE_CHILD, said.step);
    if (size != sizeof said || step == NULL) continue;
    tell(&launch.tape, step, said.error, said.fatal != 0);
    if (said.fatal) return HEARD_FAILURE;
  }
}

/* Its execve closes the socket. True when that worked. */
static bool await_start(void) {
  enum heard heard;
  while ((heard = hear()) == HEARD_COME_SO_FAR)
    ;
  return heard == HEARD_END;
}

int await_child(void) { return hear() == HEARD_COME_SO_FAR ? 0 : -ECHILD; }

/* What the child has said by itself is the cause, and comes first. */
static void tell_beside(struct tape *from, const struct tape_step *step, int error, bool fatal) {
  if (fatal && launch.failure.status != 0) return;
  struct pollfd said = {.fd = report_socket, .events = POLLIN};
  if (fatal && poll(&said, 1, 0) > 0 && !await_start() && launch.failure.status != 0) return;
  tell(from, step, error, fatal);
}

bool start_child(void) {
  int report[2];
  if (!prepare_streams() || (has_option(OPTION_HANDOVER) && !handover_prepare()) ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0) {
    fail("preparing the container's streams", errno);
    return false;
  }
  struct clone_args args = {.flags = launch.tape.header->clone_flags, .exit_signal = SIGCHLD};
  launch.child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (launch.child == 0) run_child(report);
  if (launch.child < 0) {
    fail("creating the container's namespaces", errno);
    return false;
  }
  close(report[1]);
  report_socket = report[0];
  launch.tape.registers[REGISTER_REPORT] = report_socket;
  launch.tape.registers[REGISTER_CHILD] = launch.child;
  bool ready = tape_run(&launch.tape, PHASE_BESIDE, false, tell_beside) == NULL;
  close_container_ends();
  bool started = ready && await_start();
  /* First: the socket's end would have it say that we are gone. */
  if (!started) kill(launch.child, SIGKILL);
  close(report_socket);
  launch.child = handover_finish(launch.child, started);
  return started;
}
