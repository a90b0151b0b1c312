#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void add_byte(struct text *text, char byte) {
  if (text->used < sizeof text->data) text->data[text->used++] = byte;
}

void text_add(struct text *text, const char *string) {
  while (*string) add_byte(text, *string++);
}

static void add_digits(struct text *text, uint64_t number, int width) {
  char digits[20];
  int count = 0;
  while (number > 0 || count < width || count == 0) {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  }
  while (count > 0) add_byte(text, digits[--count]);
}

void text_add_number(struct text *text, int64_t number) {
  if (number < 0) add_byte(text, '-');
  add_digits(text, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
}

void text_add_json(struct text *text, const char *string) {
  add_byte(text, '"');
  for (; *string; string++) {
    unsigned char byte = (unsigned char)*string;
    if (byte == '"' || byte == '\\') add_byte(text, '\\');
    if (byte >= 0x20) {
      add_byte(text, *string);
      continue;
    }
    text_add(text, "\\u00");
    add_byte(text, "0123456789abcdef"[byte >> 4]);
    add_byte(text, "0123456789abcdef"[byte & 15]);
  }
  add_byte(text, '"');
}

/*
 * Days since 1970 to a date of the Gregorian calendar, by years that begin in March, so
 * that the leap day is the last. gmtime would read the time zone file.
 */
static void add_date(struct text *text, int64_t days) {
  int64_t shifted = days + 719468;
  int64_t era = shifted / 146097;
  int64_t day_of_era = shifted % 146097;
  int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  add_digits(text, (uint64_t)(year + era * 400 + (month >= 10)), 4);
  add_byte(text, '-');
  add_digits(text, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
  add_byte(text, '-');
  add_digits(text, (uint64_t)day, 2);
}

void text_add_time(struct text *text, const struct timespec *time) {
  uint64_t second = (uint64_t)time->tv_sec % 86400;
  add_date(text, time->tv_sec / 86400);
  add_byte(text, 'T');
  add_digits(text, second / 3600, 2);
  add_byte(text, ':');
  add_digits(text, second / 60 % 60, 2);
  add_byte(text, ':');
  add_digits(text, second % 60, 2);
  add_byte(text, '.');
  add_digits(text, (uint64_t)time->tv_nsec, 9);
  add_byte(text, 'Z');
}

const char *text_string(struct text *text) {
  size_t end = text->used < sizeof text->data ? text->used : sizeof text->data - 1;
  text->data[end] = 0;
  return text->data;
}

void text_add_error(struct text *text, int error) {
  if (error > ERROR_STATUS) {
    text_add(text, "status ");
    text_add_number(text, error - ERROR_STATUS);
    return;
  }
  const char *words = strerror(error);
  add_byte(text, (char)tolower((unsigned char)words[0]));
  text_add(text, words + 1);
}

void print_number(char *into, int64_t number) {
  struct text text;
  text.used = 0;
  text_add_number(&text, number);
  memcpy(into, text_string(&text), text.used + 1);
}

int write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      /* Somebody whose descriptor this is, too, doesn't want to block. */
      struct pollfd ready = {.fd = fd, .events = POLLOUT};
      poll(&ready, 1, -1);
      continue;
    }
    if (written < 0) return -errno;
    data += written;
    size -= (size_t)written;
  }
  return 0;
}
