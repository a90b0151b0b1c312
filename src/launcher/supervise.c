#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "health.h"
#include "hub.h"
#include "launch.h"
#include "memory.h"
#include "record.h"
#include "runtime-log.h"
#include "seal.h"

static sigset_t handled;

/*
 * Node ignores SIGPIPE and a shell may ignore others; the container must start with all
 * defaults. What is handled here is blocked and read from a signalfd, so that no handler
 * exists. Job control stays with the kernel.
 */
void supervise_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigfillset(&handled);
  static const int left[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGILL,
                             SIGFPE,  SIGABRT, SIGTRAP, SIGSYS,  SIGURG};
  for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) sigdelset(&handled, left[i]);
  sigprocmask(SIG_SETMASK, &handled, NULL);
}

/* The pid can't have been used again: only `reap` frees it. */
static void signal_child(int number) { kill(launch.child, number); }

/* True when the container's first process has ended; `status` is then wait(2)'s. */
static bool reap(int *status) {
  pid_t pid;
  while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
    if (pid == launch.child) return true;
    health_reaped(pid, *status);
  }
  return false;
}

static bool take_signal(int signals, int *status) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return false;
  switch (info.ssi_signo) {
    case SIGCHLD:
      return reap(status);
    case SIGPIPE:
    case SIGWINCH:
      return false;
  }
  /* The terminal has told the child itself. */
  if (has_option(OPTION_DIRECT) && info.ssi_code > 0) return false;
  signal_child((int)info.ssi_signo);
  return false;
}

static int wait_for_end(int signals) {
  int status = 0;
  for (;;) {
    struct pollfd polled[3 + HUB_POLLS] = {
        {.fd = signals, .events = POLLIN},
        {.fd = health_timer(), .events = POLLIN},
        {.fd = health_output(), .events = POLLIN},
    };
    int count = hub_polls(polled + 3);
    if (poll(polled, (nfds_t)(3 + count), -1) < 0) continue;
    hub_step(polled + 3, count, signal_child);
    if (polled[2].revents) health_said();
    if (polled[1].revents) health_due();
    if (polled[0].revents && take_signal(signals, &status)) return status;
  }
}

/* Where later clients of a detached container connect. */
static void listen_at(const char *path) {
  if (path == NULL) return;
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(path);
  mode_t before = umask(0177);
  int directory = address_of(path, &address);
  if (fd >= 0 && directory >= 0 &&
      bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0)
    hub_listen(fd);
  else
    dprintf(STDERR_FILENO, "tsimg: warning: nobody can attach: %s\n", strerror(errno));
  umask(before);
  if (directory >= 0) close(directory);
}

static bool open_log(const struct tape_header *header) {
  static struct log_file log;
  log.path = string_at(header->log_file);
  log.most = header->log_size;
  log.files = header->log_files;
  if (log.path == NULL) return true;
  if (!log_open(&log)) {
    fail(log.path, errno);
    return false;
  }
  hub_log(&log);
  return true;
}

/* In the background: the caller's streams are the caller's again. */
static void let_go(int word) {
  uint8_t status = 0;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  close(null);
  if (word >= 0) {
    (void)!write(word, &status, 1);
    close(word);
  }
  tape_sleep(&launch.tape);
  memory_release_program();
}

static void end_child(int *status) {
  kill(launch.child, SIGKILL);
  while (waitpid(launch.child, status, 0) < 0 && errno == EINTR)
    ;
  if (launch.failure.status == 0) fail("starting the container", EPROTO);
}

static struct outcome outcome_of(int status) {
  if (launch.failure.status != 0)
    return (struct outcome){.status = launch.failure.status,
                            .error = text_string(&launch.failure.message)};
  if (WIFSIGNALED(status))
    return (struct outcome){.status = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
  return (struct outcome){.status = WEXITSTATUS(status)};
}

/* With another runtime: whether it is the container that has ended so. */
static void hear_runtime(int status) {
  const char *about = string_at(launch.tape.header->runtime_log);
  if (about == NULL || launch.failure.status != 0 || status == 0) return;
  int failure = runtime_failure(about);
  if (failure == 0) return;
  text_add(&launch.failure.message, "the runtime could not start the container");
  launch.failure.status = failure;
}

static void record_running(const struct tape_header *header) {
  record_started(string_at(header->started_record), launch.child);
  record_pid(string_at(header->pid_file), launch.child);
}

int supervise(int word, int client) {
  struct tape *tape = &launch.tape;
  const struct tape_header *header = tape->header;
  bool background = word >= 0 || client >= 0;
  int status = 0;
  int signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  if (!has_option(OPTION_TRANSIENT)) seal_offer();
  if (client >= 0) hub_client(client);
  if (open_log(header) &&
      tape_run(tape, PHASE_BEFORE, false, tell) == NULL) {
    if (start_child()) {
      listen_at(string_at(header->attach_socket));
      record_running(header);
      if (has_option(OPTION_TRANSIENT)) return 0;
      hub_begin();
      if (background) let_go(word);
      health_start();
      status = wait_for_end(signals);
      hub_drain(signals);
      health_stop();
    } else if (launch.child > 0) {
      end_child(&status);
    }
  }
  hear_runtime(status);
  struct outcome outcome = outcome_of(status);
  outcome.oom_killed = oom_killed(string_at(header->oom_file));
  if (outcome.oom_killed && !background)
    dprintf(STDERR_FILENO, "tsimg: the container ran out of memory: the kernel killed a process of it\n");
  record_exit(string_at(header->exit_record), &outcome);
  tape_wake(tape);
  tape_run(tape, PHASE_AFTER, true, tell);
  hub_end((uint8_t)outcome.status);
  return outcome.status;
}
