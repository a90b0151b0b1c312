#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

/* What docker keeps of a check's output; less of it fits into a line of the log. */
#define OUTPUT_MAX 4096
/* Bytes of results that are kept. */
#define LOG_MAX (256 * 1024)

static int timer = -1;
static pid_t check;
/* The check's launcher and, until it is in the container, its process. */
static pid_t group;
static int output = -1;
static char said[OUTPUT_MAX + 1];
static size_t said_size;
static struct timespec began;
static bool timed_out;
static bool was_healthy;
static int64_t started_at;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wake_in(uint32_t ms) {
  struct itimerspec when = {.it_value = {ms / 1000, (long)(ms % 1000) * 1000000}};
  timerfd_settime(timer, 0, &when, NULL);
}

/* Checks come more often until the first success of the start period. */
static uint32_t interval(void) {
  const struct tape_header *header = launch.tape.header;
  bool starting = !was_healthy && header->health_start_interval > 0 &&
                  now_ms() - started_at < header->health_start_period;
  return starting ? header->health_start_interval : header->health_interval;
}

void health_start(void) {
  if (launch.tape.header->health_tape == 0) return;
  started_at = now_ms();
  /* The processes of checks that took too long are ours to reap: only then can the container end. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  wake_in(interval());
}

int health_timer(void) { return timer; }

static _Noreturn void run_check(int to) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(to, STDOUT_FILENO);
  dup2(to, STDERR_FILENO);
  int container = (int)syscall(SYS_pidfd_open, launch.child, 0u);
  if (container != HEALTH_CONTAINER_FD) dup2(container, HEALTH_CONTAINER_FD);
  fcntl(HEALTH_CONTAINER_FD, F_SETFD, 0);
  char *argv[] = {HEALTH_NAME, (char *)(size_t)string_at(launch.tape.header->health_tape), NULL};
  execve("/proc/self/exe", argv, (char *[]){NULL});
  _exit(STATUS_OWN);
}

/* In a container that is paused the last check's process still waits to join. */
static bool is_stuck(void) {
  if (group > 0 && kill(-group, 0) == 0) return true;
  group = 0;
  return false;
}

static void begin(void) {
  if (is_stuck()) return wake_in(interval());
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return wake_in(interval());
  clock_gettime(CLOCK_REALTIME, &began);
  timed_out = false;
  check = fork();
  if (check == 0) run_check(ends[1]);
  said_size = 0;
  close(ends[1]);
  if (check < 0) {
    close(ends[0]);
    return wake_in(interval());
  }
  group = check;
  output = ends[0];
  fcntl(output, F_SETFL, O_NONBLOCK);
  wake_in(launch.tape.header->health_timeout);
}

int health_output(void) { return output; }

/* What is too much is read, too: the check must not wait for its reader. */
void health_said(void) {
  char rest[4096];
  for (;;) {
    bool full = said_size == OUTPUT_MAX;
    char *to = full ? rest : said + said_size;
    ssize_t size = read(output, to, full ? sizeof rest : OUTPUT_MAX - said_size);
    if (size < 0 && errno == EINTR) continue;
    if (size == 0) {
      close(output);
      output = -1;
    }
    if (size <= 0) return;
    if (!full) said_size += (size_t)size;
  }
}

void health_due(void) {
  uint64_t times;
  if (read(timer, &times, sizeof times) != sizeof times) return;
  if (check <= 0) return begin();
  /* Its launcher dies, and the check in the container with it. */
  timed_out = true;
  kill(check, SIGKILL);
}

/* As much of it as leaves room for the end of the line. */
static const char *what_fits(size_t room) {
  size_t size = 0;
  for (; size < said_size && room >= 6; size++) {
    unsigned char byte = (unsigned char)said[size];
    room -= byte < 0x20 ? 6 : byte == '"' || byte == '\\' ? 2 : 1;
  }
  said[size] = 0;
  return said;
}

/*
 * Keeps the last results alone, without taking them into memory: a container may live for
 * years. What counts, the latest results, is always among them.
 */
static void shorten(const char *path, int log, off_t size) {
  struct text text = {0};
  off_t from = size - LOG_MAX / 2;
  ssize_t seen = pread(log, text.data, sizeof text.data, from);
  const char *end = seen > 0 ? memchr(text.data, '\n', (size_t)seen) : NULL;
  if (end == NULL) return;
  from += end + 1 - text.data;
  struct text temporary = {0};
  text_add(&temporary, path);
  text_add(&temporary, ".new");
  const char *name = text_string(&temporary);
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return;
  while (from < size)
    if (sendfile(fd, log, &from, (size_t)(size - from)) <= 0) break;
  close(fd);
  if (from == size) rename(name, path);
}

static void record(int exit_code) {
  struct text text = {0};
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  text_add(&text, "{\"Start\":\"");
  text_add_time(&text, &began);
  text_add(&text, "\",\"End\":\"");
  text_add_time(&text, &now);
  text_add(&text, "\",\"ExitCode\":");
  text_add_number(&text, exit_code);
  text_add(&text, ",\"Output\":");
  if (output >= 0) health_said();
  const char *words = what_fits(sizeof text.data - text.used - sizeof "\"\"}\n");
  text_add_json(&text, timed_out ? "Health check exceeded timeout" : words);
  text_add(&text, "}\n");
  const char *path = string_at(launch.tape.header->health_log);
  int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return;
  write_all(fd, text.data, text.used);
  off_t size = lseek(fd, 0, SEEK_END);
  if (size > LOG_MAX) shorten(path, fd, size);
  close(fd);
}

void health_reaped(pid_t pid, int status) {
  if (pid != check) return;
  int code = timed_out ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code == 0) was_healthy = true;
  record(code);
  if (output >= 0) close(output);
  check = 0;
  output = -1;
  wake_in(interval());
}

void health_stop(void) {
  if (check <= 0) return;
  kill(check, SIGKILL);
  while (waitpid(check, NULL, 0) < 0 && errno == EINTR)
    ;
  check = 0;
}
