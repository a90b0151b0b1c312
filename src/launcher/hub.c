#include "hub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"

#define TAKERS 8

struct taker {
  int fd;         /* -1: nobody */
  bool framed;    /* a client; else a descriptor that gets one stream's bytes */
  int stream;     /* which one */
  bool waiting;   /* has not taken all of the chunk */
  size_t taken;
};

static struct taker takers[TAKERS] = {[0 ... TAKERS - 1] = {.fd = -1}};
static int sources[3] = {-1, -1, -1};
static struct log_file *log_file;
static struct log_stream logged[3] = {[1] = {.name = "stdout"}, [2] = {.name = "stderr"}};
static int listening = -1;

/* The last piece of output: of one stream, with room for the frame's kind before it. */
static struct frame chunk;
static size_t chunk_size;

static int input = -1, input_from = -1;
static bool input_is_terminal;
static struct frame taken;
static size_t input_start, input_end;

void hub_source(int stream, int fd) {
  sources[stream] = fd;
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

void hub_input(int fd, bool terminal) {
  input = fd;
  input_is_terminal = terminal;
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

void hub_log(struct log_file *log) { log_file = log; }
void hub_listen(int socket) { listening = socket; }
void hub_read_input(int fd) { input_from = fd; }

static bool add(struct taker taker) {
  for (int i = 0; i < TAKERS; i++) {
    if (takers[i].fd >= 0) continue;
    takers[i] = taker;
    return true;
  }
  return false;
}

void hub_copy(int stream, int fd) { add((struct taker){.fd = fd, .stream = stream}); }

bool hub_client(int socket) { return add((struct taker){.fd = socket, .framed = true}); }

static bool transient(void) { return errno == EINTR || errno == EAGAIN; }

static bool anybody_takes(int stream) {
  if (log_file != NULL || listening >= 0) return true;
  for (int i = 0; i < TAKERS; i++)
    if (takers[i].fd >= 0 && (takers[i].framed || takers[i].stream == stream)) return true;
  return false;
}

static void let_go(struct taker *taker) {
  /* Our own standard streams stay open: a descriptor of that number would be another file. */
  if (taker->framed) close(taker->fd);
  taker->fd = -1;
  taker->waiting = false;
  /* The reader is gone. Closing our end lets the container notice, as in a pipeline. */
  int stream = taker->stream;
  if (taker->framed || anybody_takes(stream) || sources[stream] < 0) return;
  close(sources[stream]);
  sources[stream] = -1;
}

/*
 * A pipe that is writable has room for PIPE_BUF bytes; to write more would hold us up, as the
 * descriptor may be a blocking one.
 */
static void give(struct taker *taker) {
  const uint8_t *from = taker->framed ? &chunk.kind : chunk.data + taker->taken;
  size_t size = taker->framed ? chunk_size + 1 : chunk_size - taker->taken;
  if (!taker->framed && size > PIPE_BUF) size = PIPE_BUF;
  ssize_t given = taker->framed ? send(taker->fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT)
                                : write(taker->fd, from, size);
  if (given < 0 && !transient()) return let_go(taker);
  if (given > 0) taker->taken += (size_t)given;
  taker->waiting = given < 0 || (!taker->framed && taker->taken < chunk_size);
}

static bool busy(void) {
  for (int i = 0; i < TAKERS; i++)
    if (takers[i].waiting) return true;
  return false;
}

static void read_source(int stream) {
  ssize_t size = read(sources[stream], chunk.data, sizeof chunk.data);
  if (size < 0 && transient()) return;
  if (size <= 0) {
    /* EIO is how a pty ends. */
    if (sources[stream] != input) close(sources[stream]);
    sources[stream] = -1;
    return;
  }
  chunk.kind = (uint8_t)stream;
  chunk_size = (size_t)size;
  if (log_file != NULL)
    log_add(&logged[stream], log_file, (const char *)chunk.data, chunk_size);
  for (int i = 0; i < TAKERS; i++) {
    struct taker *taker = &takers[i];
    if (taker->fd < 0 || (!taker->framed && taker->stream != stream)) continue;
    taker->taken = 0;
    /* Of a descriptor of the caller's we don't know whether it blocks: it is polled first. */
    taker->waiting = true;
    if (taker->framed) give(taker);
  }
}

static bool full_of_input(void) { return input_start < input_end; }

static void end_input(void) {
  if (input >= 0 && !input_is_terminal) close(input);
  if (!input_is_terminal) input = -1;
  input_from = -1;
}

static void write_input(void) {
  ssize_t size = write(input, taken.data + input_start, input_end - input_start);
  if (size < 0 && transient()) return;
  if (size > 0) input_start += (size_t)size;
  if (size < 0) {
    input_start = input_end = 0;
    end_input();
  }
}

static void read_input(void) {
  ssize_t size = read(input_from, taken.data, sizeof taken.data);
  if (size < 0 && transient()) return;
  if (size <= 0) return end_input();
  input_start = 0;
  input_end = (size_t)size;
  write_input();
}

static void hear(struct taker *client, hub_signal *signal) {
  ssize_t size = recv(client->fd, &taken, sizeof taken, MSG_DONTWAIT);
  if (size < 0 && transient()) return;
  if (size <= 0) return let_go(client);
  size_t content = (size_t)size - 1;
  switch (taken.kind) {
    case FRAME_INPUT:
      if (input < 0) return;
      input_start = 0;
      input_end = content;
      return write_input();
    case FRAME_INPUT_END:
      if (!input_is_terminal) end_input();
      return;
    case FRAME_SIZE:
      if (content == sizeof(struct winsize) && input_is_terminal)
        ioctl(input, TIOCSWINSZ, taken.data);
      return;
    case FRAME_SIGNAL:
      if (content == 1) signal(taken.data[0]);
      return;
    case FRAME_DETACH:
      return let_go(client);
  }
}

static void say_started(int client) {
  uint8_t started = FRAME_START;
  send(client, &started, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void hub_begin(void) {
  for (int i = 0; i < TAKERS; i++)
    if (takers[i].fd >= 0 && takers[i].framed) say_started(takers[i].fd);
}

static void welcome(void) {
  int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
  if (client < 0) return;
  if (hub_client(client)) say_started(client);
  else close(client);
}

/* The order here is the order in hub_step. */
int hub_polls(struct pollfd polls[HUB_POLLS]) {
  int count = 0;
  bool waits = busy();
  for (int stream = 1; stream <= 2; stream++)
    polls[count++] = (struct pollfd){.fd = waits ? -1 : sources[stream], .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = full_of_input() ? input : -1, .events = POLLOUT};
  polls[count++] = (struct pollfd){.fd = full_of_input() ? -1 : input_from, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = listening, .events = POLLIN};
  for (int i = 0; i < TAKERS; i++) {
    short events = takers[i].waiting ? POLLOUT : 0;
    if (takers[i].framed && !full_of_input()) events |= POLLIN;
    /* A terminal that went away, or a closed pipe, is only of interest with something to write. */
    polls[count++] = (struct pollfd){.fd = events == 0 ? -1 : takers[i].fd, .events = events};
  }
  return count;
}

void hub_step(const struct pollfd polls[HUB_POLLS], int count, hub_signal *signal) {
  for (int i = 0; i < TAKERS && 5 + i < count; i++) {
    short happened = polls[5 + i].revents;
    if (takers[i].fd < 0 || happened == 0) continue;
    if (takers[i].waiting && (happened & (POLLOUT | POLLERR | POLLHUP))) give(&takers[i]);
    /* There is room for one client's input at a time. */
    bool speaks = takers[i].framed && (happened & (POLLIN | POLLHUP)) && !full_of_input();
    if (takers[i].fd >= 0 && speaks)
      hear(&takers[i], signal);
  }
  if (polls[2].revents) write_input();
  if (polls[3].revents && !full_of_input()) read_input();
  if (polls[4].revents) welcome();
  for (int stream = 1; stream <= 2; stream++)
    if (polls[stream - 1].revents && sources[stream] >= 0 && !busy()) read_source(stream);
}

static void ignore(int number) { (void)number; }

static bool own_waits(void) {
  for (int i = 0; i < TAKERS; i++)
    if (takers[i].waiting && !takers[i].framed) return true;
  return false;
}

static void give_up_waiting(void) {
  for (int i = 0; i < TAKERS; i++)
    if (takers[i].waiting) let_go(&takers[i]);
}

static bool told_to_end(int signals) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return false;
  return info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE && info.ssi_signo != SIGWINCH;
}

void hub_drain(int signals) {
  input_from = -1;
  for (;;) {
    struct pollfd polls[HUB_POLLS + 1];
    int count = hub_polls(polls);
    polls[2].fd = polls[3].fd = polls[4].fd = -1;
    for (int i = 5; i < count; i++)
      if ((polls[i].events &= POLLOUT) == 0) polls[i].fd = -1;
    polls[count] = (struct pollfd){.fd = signals, .events = POLLIN};
    bool waits = busy();
    int ready = poll(polls, (nfds_t)count + 1, !waits ? 0 : own_waits() ? -1 : 1000);
    if (ready <= 0 && !waits) break;
    if (ready == 0 || (ready > 0 && polls[count].revents && told_to_end(signals)))
      give_up_waiting();
    else if (ready > 0)
      hub_step(polls, count, ignore);
    if (sources[1] < 0 && sources[2] < 0 && !busy()) break;
  }
  for (int stream = 1; stream <= 2 && log_file != NULL; stream++)
    log_flush(&logged[stream], log_file);
}

void hub_end(uint8_t status) {
  struct frame last = {.kind = FRAME_EXIT};
  last.data[0] = status;
  /* Who has just come wants to know, too. */
  for (int i = 0; i < TAKERS && listening >= 0; i++) welcome();
  for (int i = 0; i < TAKERS; i++) {
    if (takers[i].fd < 0 || !takers[i].framed) continue;
    struct pollfd ready = {.fd = takers[i].fd, .events = POLLOUT};
    poll(&ready, 1, 1000);
    send(takers[i].fd, &last, 2, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(takers[i].fd);
    takers[i].fd = -1;
  }
}
