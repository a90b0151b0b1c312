#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct pollfd flow_wish(const struct flow *flow) {
  if (flow->start < flow->end) return (struct pollfd){.fd = flow->to, .events = POLLOUT};
  return (struct pollfd){.fd = flow->from, .events = POLLIN};
}

static void finish(struct flow *flow) {
  flow->from = -1;
  if (flow->keep_to || flow->to < 0) return;
  close(flow->to);
  flow->to = -1;
}

static bool transient(void) { return errno == EINTR || errno == EAGAIN; }

void flow_step(struct flow *flow) {
  if (flow->start == flow->end) {
    ssize_t size = read(flow->from, flow->data, sizeof flow->data);
    if (size < 0 && transient()) return;
    flow->start = 0;
    flow->end = size > 0 ? (size_t)size : 0;
    /* EIO is how a pty ends. */
    if (size <= 0) finish(flow);
    return;
  }
  ssize_t size = write(flow->to, flow->data + flow->start, flow->end - flow->start);
  if (size < 0 && transient()) return;
  if (size > 0) flow->start += (size_t)size;
  if (size < 0) {
    /* The reader is gone. Closing our end lets the container notice, as in a pipeline. */
    flow->start = flow->end = 0;
    if (!flow->keep_to) {
      close(flow->to);
    } else if (flow->from > STDERR_FILENO) {
      close(flow->from);
    }
    flow->from = flow->to = -1;
  }
}

void flow_drain(struct flow *flow) {
  while (flow->from >= 0 || flow->start < flow->end) {
    struct pollfd wish = flow_wish(flow);
    if (wish.events == POLLIN && poll(&wish, 1, 0) <= 0) return;
    if (wish.events == POLLOUT && poll(&wish, 1, 1000) <= 0) return;
    flow_step(flow);
  }
}

static struct termios saved;
static int raw_fd = -1;

void console_raw(int fd) {
  if (tcgetattr(fd, &saved) < 0) return;
  struct termios raw = saved;
  cfmakeraw(&raw);
  if (tcsetattr(fd, TCSADRAIN, &raw) == 0) raw_fd = fd;
}

void console_restore(void) {
  if (raw_fd >= 0) tcsetattr(raw_fd, TCSADRAIN, &saved);
  raw_fd = -1;
}

void console_resize(int master) {
  struct winsize size;
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
    return;
  ioctl(master, TIOCSWINSZ, &size);
}
