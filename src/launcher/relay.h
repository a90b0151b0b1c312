/* Bytes between the caller's standard streams and the container's pty or pipes. */
#ifndef TSIMG_RELAY_H
#define TSIMG_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct flow {
  int from, to; /* -1: nothing more from there; to: nobody takes it any more */
  bool keep_to; /* `to` stays open when `from` has ended */
  size_t start, end;
  char data[16384];
};

/* What the flow waits for: to write when it holds bytes, else to read. */
struct pollfd flow_wish(const struct flow *flow);

/* One read or one write, whichever was wished for. Closes `to` after the end of `from`. */
void flow_step(struct flow *flow);

/* Passes on everything that can be read without waiting. */
void flow_drain(struct flow *flow);

/* Raw mode on the terminal at `fd`, until console_restore; nothing when it isn't one. */
void console_raw(int fd);
void console_restore(void);

/* Gives the pty behind `master` the size of the terminal at standard input or output. */
void console_resize(int master);

#endif
