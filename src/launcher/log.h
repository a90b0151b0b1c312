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
  int from;         /* a pipe or pty, or -1 after its end */
  const char *name; /* stdout or stderr */
  size_t used;
  char data[LOG_LINE_MAX];
};

/* Reads once and writes the lines that are whole; closes `from` at its end. */
void log_read(struct log_stream *stream, int log);

/* Writes what has no newline yet. */
void log_flush(struct log_stream *stream, int log);

#endif
