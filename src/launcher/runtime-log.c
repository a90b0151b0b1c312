#include "runtime-log.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* The first line of `from`; answers where the next one begins. */
static const char *take_line(const char *from, struct text *line) {
  line->used = 0;
  text_add(line, from);
  char *end = strchr(text_string(line), '\n');
  if (end == NULL) return "";
  line->used = (size_t)(end - line->data);
  text_string(line);
  return from + line->used + 1;
}

/* The last of it that fits. */
static bool read_end(const char *path, struct text *text) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  off_t most = sizeof text->data - 1;
  off_t from = fstat(fd, &status) == 0 && status.st_size > most ? status.st_size - most : 0;
  ssize_t size = pread(fd, text->data, (size_t)most, from);
  close(fd);
  text->used = size < 0 ? 0 : (size_t)size;
  text_string(text);
  return size > 0;
}

/* Runtimes differ in the first letter's case. */
static const char *const missing[] = {"executable file not found", "o such file or directory"};
static const char *const unfit[] = {"ermission denied", "xec format error", "s a directory"};

static bool has_one(const char *said, const char *const words[], int count) {
  for (int i = 0; i < count; i++)
    if (strstr(said, words[i]) != NULL) return true;
  return false;
}

int runtime_failure(const char *about) {
  struct text path, log;
  const char *rest = take_line(about, &path);
  if (!read_end(path.data, &log)) return 0;
  const char *command = take_line(rest, &path);
  if (access(path.data, F_OK) == 0) return 0;
  const char *said = log.data;
  if (strstr(said, "\"level\":\"error\"") == NULL && strstr(said, "level=error") == NULL) return 0;
  /* The same words may be about a mount. */
  if (strstr(said, command) == NULL && strstr(said, "open executable") == NULL) return 125;
  if (has_one(said, missing, sizeof missing / sizeof missing[0])) return 127;
  return has_one(said, unfit, sizeof unfit / sizeof unfit[0]) ? 126 : 125;
}
