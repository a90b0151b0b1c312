#include "console.h"

#include <termios.h>
#include <unistd.h>

static struct termios saved;
static int raw_fd = -1;

void console_raw(int fd) {
  if (tcgetattr(fd, &saved) < 0) return;
  struct termios raw = saved;
  cfmakeraw(&raw);
  if (tcsetattr(fd, TCSADRAIN, &raw) == 0) raw_fd = fd;
}

void console_restore(void) {
  if (raw_fd >= 0) tcsetattr(raw_fd, TCSADRAIN, &saved);
  raw_fd = -1;
}

int console_size(struct winsize *size) {
  return ioctl(STDIN_FILENO, TIOCGWINSZ, size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, size) == 0;
}
