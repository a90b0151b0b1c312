#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "text.h"

static int open_at_end(const char *path) {
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

bool log_open(struct log_file *log) {
  struct stat status;
  log->fd = open_at_end(log->path);
  if (log->fd < 0 || fstat(log->fd, &status) < 0) return false;
  log->size = (uint64_t)status.st_size;
  return true;
}

/* PATH, or PATH.NUMBER; cut short when it is too long, which no path is that was opened. */
static const char *numbered(char buffer[PATH_MAX], const char *path, uint32_t number) {
  if (number == 0) return path;
  snprintf(buffer, PATH_MAX, "%s.%u", path, number);
  return buffer;
}

/* A file that can't be made anew grows on: better than to lose what is written. */
static void rotate(struct log_file *log) {
  if (log->files <= 1) {
    if (ftruncate(log->fd, 0) == 0) log->size = 0;
    return;
  }
  char from[PATH_MAX], to[PATH_MAX];
  for (uint32_t number = log->files - 1; number > 0; number--)
    rename(numbered(from, log->path, number - 1), numbered(to, log->path, number));
  int fresh = open_at_end(log->path);
  if (fresh < 0) return;
  close(log->fd);
  log->fd = fresh;
  log->size = 0;
}

/* One write for one entry: with O_APPEND, entries of two streams never mix. */
static void entry(struct log_stream *stream, struct log_file *log, const char *line,
                  size_t size, const char *tag) {
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
  size_t whole = head.used + size + 1;
  if (log->most > 0 && log->size > 0 && log->size + whole > log->most) rotate(log);
  log->size += whole;
  /* A full disk must not stop the container: what can't be written is lost. */
  while (writev(log->fd, parts, 3) < 0 && errno == EINTR)
    ;
}

void log_flush(struct log_stream *stream, struct log_file *log) {
  if (stream->used > 0) entry(stream, log, stream->data, stream->used, " P ");
  stream->used = 0;
}

static void keep(struct log_stream *stream, struct log_file *log, const char *data, size_t size) {
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

void log_add(struct log_stream *stream, struct log_file *log, const char *data, size_t size) {
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
