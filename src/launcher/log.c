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

void log_flush(struct log_stream *stream, int log) {
  if (stream->used > 0) entry(stream, log, stream->data, stream->used, " P ");
  stream->used = 0;
}

static void keep(struct log_stream *stream, int log, const char *data, size_t size) {
  while (size > 0) {
    if (stream->used == sizeof stream->data) log_flush(stream, log);
    size_t room = sizeof stream->data - stream->used;
    size_t part = size < room ? size : room;
    memcpy(stream->data + stream->used, data, part);
    stream->used += part;
    data += part;
    size -= part;
  }
}

void log_add(struct log_stream *stream, int log, const char *data, size_t size) {
  const char *newline;
  while ((newline = memchr(data, '\n', size)) != NULL) {
    size_t line = (size_t)(newline - data);
    if (stream->used > 0) {
      keep(stream, log, data, line);
      entry(stream, log, stream->data, stream->used, " F ");
      stream->used = 0;
    } else {
      entry(stream, log, data, line, " F ");
    }
    data += line + 1;
    size -= line + 1;
  }
  keep(stream, log, data, size);
}
