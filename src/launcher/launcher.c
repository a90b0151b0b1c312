/*
 * The parent of one container. Performs a launch tape around clone(2), then waits: passes
 * signals on, relays or logs output, records the end, performs the clean-up steps.
 *
 *   launcher TAPE
 *
 * Everything that could be decided beforehand is in the tape.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "record.h"
#include "relay.h"
#include "tape.h"
#include "text.h"

#define STATUS_OWN 125
#define REPORT_FD 3

static struct tape tape;
static char *tape_path;
static sigset_t handled;

static pid_t container;
static int master = -1;
static int log_fd = -1;
static struct log_stream logged[2] = {{.from = -1, .name = "stdout"}, {.from = -1, .name = "stderr"}};
/* stdin, stdout, stderr; with a terminal the first two. */
static struct flow flows[3];

/* What the child says of a step, in one packet. The pty's master rides on one with step -1. */
struct report {
  uint32_t step;
  int32_t error;
  uint32_t fatal;
};

static bool has_option(enum tape_option option) { return (tape.header->options & option) != 0; }

static const char *string_at(uint32_t offset) { return tape_string(&tape, offset); }

/* ---- saying what went wrong ---- */

static struct text failure;
static int failure_status;

static void tell(struct tape *from, const struct tape_step *step, int error, bool fatal) {
  struct text message;
  message.used = 0;
  text_add(&message, tape_string(from, step->label));
  if (error != 0) {
    text_add(&message, ": ");
    text_add_error(&message, error);
  }
  dprintf(STDERR_FILENO, "tsimg: %s%s\n", fatal ? "" : "warning: ", text_string(&message));
  if (step->hint != 0) dprintf(STDERR_FILENO, "hint: %s\n", tape_string(from, step->hint));
  if (!fatal) return;
  failure = message;
  failure_status = step->status;
}

static void fail(const char *what, int error) {
  failure.used = 0;
  text_add(&failure, what);
  text_add(&failure, ": ");
  text_add_error(&failure, error);
  dprintf(STDERR_FILENO, "tsimg: %s\n", text_string(&failure));
  if (failure_status == 0) failure_status = STATUS_OWN;
}

/* ---- the child ---- */

static void report_to_launcher(struct tape *from, const struct tape_step *step, int error,
                               bool fatal) {
  struct report report = {
      .step = (uint32_t)(step - tape_step_at(from, PHASE_CHILD, 0)),
      .error = error,
      .fatal = fatal,
  };
  send(REPORT_FD, &report, sizeof report, MSG_NOSIGNAL);
}

static void run_child(int report) {
  /* An init process shows its command line in the container: no path of the host. */
  memset(tape_path, 0, strlen(tape_path));
  /* All else that is open here is close-on-exec, or closed by the tape. */
  if (report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) < 0) _exit(STATUS_OWN);
  tape.registers[REGISTER_REPORT] = REPORT_FD;
  const struct tape_step *failed = tape_run(&tape, PHASE_CHILD, false, report_to_launcher);
  _exit(failed == NULL ? STATUS_OWN : failed->status);
}

/* ---- starting ---- */

/*
 * Gives the container a pipe instead of our own descriptor `fd`: when its output is
 * logged, and when it would get hold of the caller's terminal.
 */
static bool make_pipe(int fd, bool to_container, int *ours) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return false;
  *ours = ends[to_container ? 1 : 0];
  tape.registers[REGISTER_STDIN + fd] = ends[to_container ? 0 : 1];
  fcntl(*ours, F_SETFL, O_NONBLOCK);
  return true;
}

static bool prepare_streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    tape.registers[REGISTER_STDIN + fd] = fd;
    flows[fd].from = flows[fd].to = -1;
  }
  if (has_option(OPTION_TTY)) return true;
  if (has_option(OPTION_DETACHED)) {
    /* The input pipe stays open and empty: a reader waits, as at an idle terminal. */
    int input;
    return make_pipe(1, false, &logged[0].from) && make_pipe(2, false, &logged[1].from) &&
           (!has_option(OPTION_STDIN) || make_pipe(0, true, &input));
  }
  if (has_option(OPTION_STDIN) && isatty(0)) {
    flows[0].from = 0;
    if (!make_pipe(0, true, &flows[0].to)) return false;
  }
  for (int fd = 1; fd < 3; fd++) {
    if (!isatty(fd)) continue;
    flows[fd].to = fd;
    flows[fd].keep_to = true;
    if (!make_pipe(fd, false, &flows[fd].from)) return false;
  }
  return true;
}

static void close_container_ends(void) {
  for (int fd = 0; fd < 3; fd++)
    if (tape.registers[REGISTER_STDIN + fd] > STDERR_FILENO)
      close((int)tape.registers[REGISTER_STDIN + fd]);
}

static void take_master(struct msghdr *message) {
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  if (control == NULL || control->cmsg_type != SCM_RIGHTS) return;
  memcpy(&master, CMSG_DATA(control), sizeof master);
  fcntl(master, F_SETFL, O_NONBLOCK);
}

/* Reads what the child says until its execve closes the socket. True when that worked. */
static bool await_start(int report) {
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
    ssize_t size = recvmsg(report, &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    take_master(&message);
    const struct tape_step *step = tape_step_at(&tape, PHASE_CHILD, said.step);
    if (size != sizeof said || step == NULL) continue;
    tell(&tape, step, said.error, said.fatal != 0);
    if (said.fatal) return false;
  }
}

static bool start(void) {
  int report[2];
  if (!prepare_streams() ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0) {
    fail("preparing the container's streams", errno);
    return false;
  }
  struct clone_args args = {.flags = tape.header->clone_flags, .exit_signal = SIGCHLD};
  container = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (container == 0) run_child(report[1]);
  if (container < 0) {
    fail("creating the container's namespaces", errno);
    return false;
  }
  close(report[1]);
  close_container_ends();
  bool started = await_start(report[0]);
  close(report[0]);
  return started;
}

/* ---- waiting ---- */

/* True when the container's first process has ended; `status` is then wait(2)'s. */
static bool reap(int *status) {
  pid_t pid;
  while ((pid = waitpid(-1, status, WNOHANG)) > 0)
    if (pid == container) return true;
  return false;
}

static void open_streams(void) {
  if (has_option(OPTION_DETACHED)) {
    if (has_option(OPTION_TTY)) logged[0].from = master;
    return;
  }
  if (!has_option(OPTION_TTY) || master < 0) return;
  console_resize(master);
  flows[1].from = master;
  flows[1].to = STDOUT_FILENO;
  flows[1].keep_to = true;
  if (!has_option(OPTION_STDIN)) return;
  flows[0].from = STDIN_FILENO;
  flows[0].to = master;
  flows[0].keep_to = true;
  console_raw(STDIN_FILENO);
}

static void drain_streams(void) {
  flow_drain(&flows[1]);
  flow_drain(&flows[2]);
  for (int i = 0; i < 2; i++) {
    struct pollfd ready = {.fd = logged[i].from, .events = POLLIN};
    while (logged[i].from >= 0 && poll(&ready, 1, 0) > 0) log_read(&logged[i], log_fd);
    log_flush(&logged[i], log_fd);
  }
}

static bool take_signal(int signals, int *status) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return false;
  switch (info.ssi_signo) {
    case SIGCHLD:
      return reap(status);
    case SIGPIPE:
      return false;
    case SIGWINCH:
      if (has_option(OPTION_TTY)) {
        if (master >= 0) console_resize(master);
        return false;
      }
  }
  /* The pid can't have been used again: only `reap` frees it. */
  kill(container, (int)info.ssi_signo);
  return false;
}

static int wait_for_end(int signals) {
  int status = 0;
  for (;;) {
    struct pollfd polled[6] = {{.fd = signals, .events = POLLIN}};
    for (int i = 0; i < 3; i++) polled[1 + i] = flow_wish(&flows[i]);
    for (int i = 0; i < 2; i++)
      polled[4 + i] = (struct pollfd){.fd = logged[i].from, .events = POLLIN};
    if (poll(polled, 6, -1) < 0) continue;
    for (int i = 0; i < 3; i++)
      if (polled[1 + i].revents) flow_step(&flows[i]);
    for (int i = 0; i < 2; i++)
      if (polled[4 + i].revents) log_read(&logged[i], log_fd);
    if (polled[0].revents && take_signal(signals, &status)) return status;
  }
}

/* ---- the whole ---- */

static struct outcome outcome_of(int status) {
  if (failure_status != 0)
    return (struct outcome){.status = failure_status, .error = text_string(&failure)};
  if (WIFSIGNALED(status))
    return (struct outcome){.status = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
  return (struct outcome){.status = WEXITSTATUS(status)};
}

/* Detached: says in the foreground that the container runs, and lets go of the terminal. */
static void let_go(int foreground) {
  uint8_t status = 0;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  close(null);
  (void)!write(foreground, &status, 1);
  close(foreground);
  tape_sleep(&tape);
  memory_release_program();
}

static int supervise(int foreground) {
  int status = 0;
  int signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  const char *log = string_at(tape.header->log_file);
  if (log != NULL) {
    log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (log_fd < 0) fail(log, errno);
  }
  if (failure_status == 0 && tape_run(&tape, PHASE_BEFORE, false, tell) == NULL) {
    if (start()) {
      open_streams();
      record_started(string_at(tape.header->started_record), container);
      if (foreground >= 0) let_go(foreground);
      status = wait_for_end(signals);
      drain_streams();
      console_restore();
    } else if (container > 0) {
      kill(container, SIGKILL);
      while (waitpid(container, &status, 0) < 0 && errno == EINTR)
        ;
      if (failure_status == 0) fail("starting the container", EPROTO);
    }
  }
  struct outcome outcome = outcome_of(status);
  outcome.oom_killed = oom_killed(string_at(tape.header->oom_file));
  record_exit(string_at(tape.header->exit_record), &outcome);
  tape_wake(&tape);
  tape_run(&tape, PHASE_AFTER, true, tell);
  return outcome.status;
}

/* The foreground half of a detached start: waits for the other half's word. */
static int await_background(int background) {
  uint8_t status = STATUS_OWN;
  ssize_t size;
  while ((size = read(background, &status, 1)) < 0 && errno == EINTR)
    ;
  const char *id = string_at(tape.header->print_id);
  if (size == 1 && status == 0 && id != NULL) dprintf(STDOUT_FILENO, "%s\n", id);
  return status;
}

static int run_detached(void) {
  int word[2];
  if (pipe2(word, O_CLOEXEC) < 0) return STATUS_OWN;
  pid_t background = fork();
  if (background < 0) {
    fail("going to the background", errno);
    return STATUS_OWN;
  }
  if (background > 0) {
    close(word[1]);
    return await_background(word[0]);
  }
  close(word[0]);
  setsid();
  uint8_t status = (uint8_t)supervise(word[1]);
  /* After a start that worked there is nobody left to read this. */
  if (failure_status != 0) (void)!write(word[1], &status, 1);
  return status;
}

/*
 * Node ignores SIGPIPE and a shell may ignore others; the container must start with all
 * defaults. What is handled here is blocked and read from a signalfd, so that no handler
 * exists. Job control stays with the kernel.
 */
static void set_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigfillset(&handled);
  static const int left[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGILL,
                             SIGFPE,  SIGABRT, SIGTRAP, SIGSYS,  SIGURG};
  for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) sigdelset(&handled, left[i]);
  sigprocmask(SIG_SETMASK, &handled, NULL);
}

static void set_descriptors(void) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
  syscall(SYS_close_range, 3u, ~0u, 0);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    dprintf(STDERR_FILENO, "usage: launcher TAPE\n");
    return STATUS_OWN;
  }
  set_descriptors();
  set_signals();
  tape_path = argv[1];
  if (!tape_map(&tape, tape_path)) return STATUS_OWN;
  return has_option(OPTION_DETACHED) ? run_detached() : supervise(-1);
}
