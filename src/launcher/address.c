#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"

int address_of(const char *path, struct sockaddr_un *address) {
  const char *slash = strrchr(path, '/');
  struct text directory = {0};
  if (slash == NULL || (size_t)(slash - path) >= sizeof directory.data) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(directory.data, path, (size_t)(slash - path));
  directory.used = (size_t)(slash - path);
  int fd = open(text_string(&directory), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  struct text way = {0};
  text_add(&way, "/proc/self/fd/");
  text_add_number(&way, fd);
  text_add(&way, slash);
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (way.used < sizeof address->sun_path) {
    strcpy(address->sun_path, text_string(&way));
    return fd;
  }
  close(fd);
  errno = ENAMETOOLONG;
  return -1;
}
