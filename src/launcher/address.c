#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"

bool address_open(struct address *address, const char *path) {
  *address = (struct address){.name = {.sun_family = AF_UNIX}, .directory = -1};
  char *into = address->name.sun_path;
  size_t room = sizeof address->name.sun_path;
  if (strlen(path) < room) {
    strcpy(into, path);
    return true;
  }
  char parent[PATH_MAX];
  const char *base = strrchr(path, '/');
  struct text text = {0};
  if (base == NULL || (size_t)(base - path) >= sizeof parent) goto too_long;
  memcpy(parent, path, (size_t)(base - path));
  parent[base - path] = 0;
  address->directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (address->directory < 0) return false;
  text_add(&text, "/proc/self/fd/");
  text_add_number(&text, address->directory);
  text_add(&text, base);
  if (text.used >= room) goto too_long;
  strcpy(into, text_string(&text));
  return true;
too_long:
  address_close(address);
  errno = ENAMETOOLONG;
  return false;
}

void address_close(struct address *address) {
  if (address->directory >= 0) close(address->directory);
  address->directory = -1;
}
