/*
 * Container logs as the Kubernetes runtime interface (CRI) writes them: one line
 * "TIME STREAM TAG CONTENT" for each line of output. TAG is F for a full line, P for a
 * part: the line goes on in the stream's next entry (or ended without a newline).
 */
#ifndef TSIMG_LOG_H
#define TSIMG_LOG_H

#include <stddef.h>

#define LOG_LINE_MAX 16384

struct log_stream {
  const char *name; /* stdout or stderr */
  size_t used;
  char data[LOG_LINE_MAX]; /* a line that isn't whole yet */
};

/* Writes the lines that are whole with these bytes, and keeps the rest. */
void log_add(struct log_stream *stream, int log, const char *data, size_t size);

/* Writes what has no newline yet. */
void log_flush(struct log_stream *stream, int log);

#endif
