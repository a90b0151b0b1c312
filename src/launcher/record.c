#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

static ssize_t read_file(const char *path, char *data, size_t room) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t size = read(fd, data, room - 1);
  close(fd);
  if (size >= 0) data[size] = 0;
  return size;
}

/* `how`: O_TRUNC or O_EXCL. */
static void replace(const char *path, const struct text *text, int how) {
  struct text temporary = {0};
  text_add(&temporary, path);
  text_add(&temporary, ".new");
  int fd = open(text_string(&temporary), O_WRONLY | O_CREAT | how | O_CLOEXEC | O_NOFOLLOW, 0644);
  int failed = fd < 0 ? -errno : write_all(fd, text->data, text->used);
  if (fd >= 0) close(fd);
  if (failed == 0 && rename(text_string(&temporary), path) < 0) failed = -errno;
  if (failed != 0) dprintf(STDERR_FILENO, "tsimg: writing %s: %s\n", path, strerror(-failed));
}

static void add_now(struct text *text) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  text_add(text, "\"");
  text_add_time(text, &now);
  text_add(text, "\"");
}

/* Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses. */
static void add_start_time(struct text *text, pid_t pid) {
  char data[1024];
  struct text path = {0};
  text_add(&path, "/proc/");
  text_add_number(&path, pid);
  text_add(&path, "/stat");
  const char *field = NULL;
  if (read_file(text_string(&path), data, sizeof data) > 0) field = strrchr(data, ')');
  for (int number = 2; field != NULL && number < 22; number++) field = strchr(field + 1, ' ');
  text_add(text, "\"");
  for (field = field == NULL ? "" : field + 1; *field >= '0' && *field <= '9'; field++)
    text_add(text, (char[]){*field, 0});
  text_add(text, "\"");
}

static void add_boot_id(struct text *text) {
  char data[64] = "";
  read_file("/proc/sys/kernel/random/boot_id", data, sizeof data);
  data[strcspn(data, "\n")] = 0;
  text_add_json(text, data);
}

void record_started(const char *path, pid_t pid) {
  if (path == NULL) return;
  struct text text = {0};
  text_add(&text, "{\"launcher\":");
  text_add_number(&text, getpid());
  text_add(&text, ",\"launcherStartTime\":");
  add_start_time(&text, getpid());
  text_add(&text, ",\"pid\":");
  text_add_number(&text, pid);
  text_add(&text, ",\"startTime\":");
  add_start_time(&text, pid);
  text_add(&text, ",\"bootId\":");
  add_boot_id(&text);
  text_add(&text, ",\"startedAt\":");
  add_now(&text);
  text_add(&text, "}\n");
  replace(path, &text, O_TRUNC);
}

void record_pid(const char *path, pid_t pid) {
  if (path == NULL) return;
  struct text text = {0}, temporary = {0};
  text_add_number(&text, pid);
  /* It may be in a directory of everybody's: nobody else's file, link or FIFO is written to. */
  text_add(&temporary, path);
  text_add(&temporary, ".new");
  unlink(text_string(&temporary));
  replace(path, &text, O_EXCL);
}

void record_exit(const char *path, const struct outcome *outcome) {
  if (path == NULL) return;
  struct text text = {0};
  text_add(&text, "{\"exitCode\":");
  text_add_number(&text, outcome->status);
  text_add(&text, ",\"signal\":");
  text_add_number(&text, outcome->signal);
  text_add(&text, outcome->oom_killed ? ",\"oomKilled\":true" : ",\"oomKilled\":false");
  text_add(&text, ",\"finishedAt\":");
  add_now(&text);
  if (outcome->error != NULL) {
    text_add(&text, ",\"error\":");
    text_add_json(&text, outcome->error);
  }
  text_add(&text, "}\n");
  replace(path, &text, O_TRUNC);
}

bool oom_killed(const char *path) {
  char data[2048];
  if (path == NULL || read_file(path, data, sizeof data) <= 0) return false;
  for (const char *line = data; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, "oom_kill ", 9) == 0) return line[9] >= '1' && line[9] <= '9';
  }
  return false;
}
