#include "log.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "text.h"

/* One write for one entry: with O_APPEND, entries of two streams never mix. */
static void entry(struct log_stream *stream, int log, const char *line, size_t size,
                  const char *tag) {
  struct text head;
  head.used = 0;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  text_add_time(&head, &now);
  text_add(&head, " ");
  text_add(&head, stream->name);
  text_add(&head, tag);
  struct iovec parts[3] = {
      {head.data, head.used},
      {(char *)(size_t)line, size},
      {"\n", 1},
  };
  /* A full disk must not stop the container: what can't be written is lost. */
  while (writev(log, parts, 3) < 0 && errno == EINTR)
    ;
}

static void whole_lines(struct log_stream *stream, int log) {
  char *start = stream->data;
  char *end = stream->data + stream->used;
  char *newline;
  while ((newline = memchr(start, '\n', (size_t)(end - start))) != NULL) {
    entry(stream, log, start, (size_t)(newline - start), " F ");
    start = newline + 1;
  }
  stream->used = (size_t)(end - start);
  memmove(stream->data, start, stream->used);
}

void log_flush(struct log_stream *stream, int log) {
  if (stream->used > 0) entry(stream, log, stream->data, stream->used, " P ");
  stream->used = 0;
}

void log_read(struct log_stream *stream, int log) {
  if (stream->used == sizeof stream->data) log_flush(stream, log);
  ssize_t size = read(stream->from, stream->data + stream->used, sizeof stream->data - stream->used);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size > 0) {
    stream->used += (size_t)size;
    whole_lines(stream, log);
    return;
  }
  /* EIO is how a pty ends. */
  log_flush(stream, log);
  close(stream->from);
  stream->from = -1;
}
