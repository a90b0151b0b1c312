#include "attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "console.h"
#include "frame.h"
#include "text.h"

#define STATUS_GONE 125

static const struct attachment *with;
static struct frame outgoing, incoming;
/* How many of the detach keys were typed in a row. */
static size_t typed;
/* The other side went away without a word. */
static bool lost;

static void say(enum frame_kind kind, const void *data, size_t size) {
  outgoing.kind = (uint8_t)kind;
  memmove(outgoing.data, data, size);
  while (send(with->socket, &outgoing, size + 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
    ;
}

static void say_size(void) {
  struct winsize size;
  if (with->terminal && console_size(&size)) say(FRAME_SIZE, &size, sizeof size);
}

/*
 * Passes typed bytes on. Those that may become the detach keys are held back until the next
 * byte tells. True when the keys are complete.
 */
static bool say_typed(const uint8_t *bytes, size_t size) {
  const char *keys = with->terminal ? with->detach_keys : NULL;
  size_t length = keys == NULL ? 0 : strlen(keys);
  static uint8_t passed[FRAME_DATA];
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    if (length > 0 && bytes[i] == (uint8_t)keys[typed]) {
      if (++typed == length) {
        if (count > 0) say(FRAME_INPUT, passed, count);
        return true;
      }
      continue;
    }
    if (typed > 0) {
      if (count > 0) say(FRAME_INPUT, passed, count);
      say(FRAME_INPUT, keys, typed);
      count = typed = 0;
      if (length > 0 && bytes[i] == (uint8_t)keys[0]) {
        typed = 1;
        continue;
      }
    }
    passed[count++] = bytes[i];
  }
  if (count > 0) say(FRAME_INPUT, passed, count);
  return false;
}

/* -1 while it goes on. */
static int take_frame(void) {
  ssize_t size = recv(with->socket, &incoming, sizeof incoming, 0);
  if (size < 0 && errno == EINTR) return -1;
  if (size <= 0) {
    lost = true;
    return STATUS_GONE;
  }
  size_t content = (size_t)size - 1;
  switch (incoming.kind) {
    case FRAME_OUTPUT:
    case FRAME_ERROR:
      if (with->without[incoming.kind]) return -1;
      /* A reader that went away is no reason to stop the container. */
      if (write_all(incoming.kind, (const char *)incoming.data, content) == -EPIPE && with->leaves)
        return 128 + SIGPIPE;
      return -1;
    case FRAME_START:
      if (with->terminal && with->input) console_raw(STDIN_FILENO);
      say_size();
      return -1;
    case FRAME_EXIT:
      return content == 1 ? incoming.data[0] : STATUS_GONE;
  }
  return -1;
}

/* False at the end of the input. */
static bool take_input(bool *detached) {
  uint8_t bytes[FRAME_DATA / 4];
  ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (size > 0) {
    *detached = say_typed(bytes, (size_t)size);
    return true;
  }
  if (with->input_ends) say(FRAME_INPUT_END, "", 0);
  return false;
}

/* -1 while it goes on. */
static int take_signal(int signals) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return -1;
  uint8_t number = (uint8_t)info.ssi_signo;
  if (number == SIGWINCH) {
    say_size();
    return -1;
  }
  if (number == SIGCHLD || number == SIGPIPE) return -1;
  if (!with->signals) return 128 + number;
  say(FRAME_SIGNAL, &number, 1);
  return -1;
}

int attach(const struct attachment *attachment) {
  with = attachment;
  sigset_t all;
  sigfillset(&all);
  static const int left[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGABRT};
  for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) sigdelset(&all, left[i]);
  sigprocmask(SIG_SETMASK, &all, NULL);
  int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  struct pollfd polled[3] = {
      {.fd = with->socket, .events = POLLIN},
      {.fd = signals, .events = POLLIN},
      {.fd = with->input ? STDIN_FILENO : -1, .events = POLLIN},
  };
  int status = -1;
  bool detached = false;
  while (status < 0 && !detached) {
    if (poll(polled, 3, -1) < 0) continue;
    /* A new size comes before what is typed after it. */
    if (polled[1].revents) status = take_signal(signals);
    if (polled[2].revents && !take_input(&detached)) polled[2].fd = -1;
    if (status < 0 && polled[0].revents) status = take_frame();
  }
  console_restore();
  if (lost)
    dprintf(STDERR_FILENO, "tsimg: the container's launcher hung up; it serves 8 clients at most\n");
  if (!detached) return status;
  say(FRAME_DETACH, "", 0);
  dprintf(STDERR_FILENO, "read escape sequence\n");
  return 0;
}

int attach_main(char **arguments) {
  const char *path = arguments[0], *flags = arguments[1], *keys = arguments[2];
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  int directory = address_of(path, &address);
  if (fd < 0 || directory < 0 ||
      connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    dprintf(STDERR_FILENO, "tsimg: attaching: %s\n", strerror(errno));
    return STATUS_GONE;
  }
  close(directory);
  struct attachment attachment = {
      .socket = fd,
      .terminal = strchr(flags, 't') != NULL,
      .input = strchr(flags, 'i') != NULL,
      .input_ends = strchr(flags, 'e') != NULL,
      .signals = strchr(flags, 's') != NULL,
      .leaves = true,
      .detach_keys = keys,
  };
  return attach(&attachment);
}
