/* Text of bounded length without printf, which would pull its pages into every launcher. */
#ifndef TSIMG_TEXT_H
#define TSIMG_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct text {
  size_t used;
  char data[4096];
};

/* All of these cut silently what doesn't fit. */
void text_add(struct text *text, const char *string);
void text_add_number(struct text *text, int64_t number);
/* As a JSON string, quotes included; bytes that aren't ASCII go through as they are. */
void text_add_json(struct text *text, const char *string);
/* RFC 3339 in UTC with nanoseconds, always 30 bytes. */
void text_add_time(struct text *text, const struct timespec *time);

/* The text as a C string; it can still grow. */
const char *text_string(struct text *text);

/* An error above it is the exit status of a program. */
#define ERROR_STATUS 4096

/* strerror in the lower case that messages are written in. */
void text_add_error(struct text *text, int error);

/* `number` in decimal and a NUL: 21 bytes at most. */
void print_number(char *into, int64_t number);

/* Writes all of `size` bytes; 0 or a negated errno. */
int write_all(int fd, const char *data, size_t size);

#endif
