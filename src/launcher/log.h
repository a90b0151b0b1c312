/*
 * Container logs as the Kubernetes runtime interface (CRI) writes them: one line
 * "TIME STREAM TAG CONTENT" for each line of output. TAG is F for a full line, P for a
 * part: the line goes on in the stream's next entry (or ended without a newline).
 */
#ifndef TSIMG_LOG_H
#define TSIMG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 16384

/*
 * With a limit of size, PATH is renamed PATH.1 when the next entry would not fit, that PATH.2
 * and so on; of `files` in all the oldest goes. With one file it is emptied.
 */
struct log_file {
  int fd;
  const char *path;
  uint64_t size, most; /* 0: no limit */
  uint32_t files;
};

/* False with errno when it can't be opened. It goes on where an earlier start has ended. */
bool log_open(struct log_file *log);

struct log_stream {
  const char *name; /* stdout or stderr */
  size_t used;
  char data[LOG_LINE_MAX]; /* a line that isn't whole yet */
};

/* Writes the lines that are whole with these bytes, and keeps the rest. */
void log_add(struct log_stream *stream, struct log_file *log, const char *data, size_t size);

/* Writes what has no newline yet. */
void log_flush(struct log_stream *stream, struct log_file *log);

#endif
