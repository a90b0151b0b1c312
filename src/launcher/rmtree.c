#include "rmtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A container can nest directories deeper than there are file descriptors or stack, so
 * only the current directory is open. The way back is "..", checked against what was
 * there on the way down.
 */
struct place {
  dev_t device;
  ino_t inode;
};

struct walk {
  int fd;
  struct place *places; /* the directories above `fd`, the tree's own first */
  size_t depth, room;
  int failed; /* the first errno */
};

struct dents {
  _Alignas(8) char data[32768];
};

static struct dents dents;

static int open_below(int parent, const char *name) {
  struct open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
  };
  return (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
}

static bool descend(struct walk *walk, const char *name) {
  struct stat status;
  if (walk->depth == walk->room) {
    size_t room = walk->room == 0 ? 64 : walk->room * 2;
    struct place *places = realloc(walk->places, room * sizeof *places);
    if (places == NULL) return false;
    walk->places = places;
    walk->room = room;
  }
  if (fstat(walk->fd, &status) < 0) return false;
  int below = open_below(walk->fd, name);
  if (below < 0) return false;
  walk->places[walk->depth++] = (struct place){status.st_dev, status.st_ino};
  close(walk->fd);
  walk->fd = below;
  return true;
}

static bool ascend(struct walk *walk) {
  struct stat status;
  int above = openat(walk->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return false;
  struct place *expected = &walk->places[--walk->depth];
  if (fstat(above, &status) < 0 || status.st_dev != expected->device ||
      status.st_ino != expected->inode) {
    close(above);
    errno = ESTALE;
    return false;
  }
  close(walk->fd);
  walk->fd = above;
  return true;
}

static void note(struct walk *walk) {
  if (walk->failed == 0) walk->failed = errno;
}

static bool is_dot(const char *name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/*
 * Empties the open directory as far as it can. Returns true when it went down into a
 * directory that isn't empty, which is to be emptied first.
 */
static bool sweep(struct walk *walk) {
  lseek(walk->fd, 0, SEEK_SET);
  for (;;) {
    long size = syscall(SYS_getdents64, walk->fd, dents.data, sizeof dents.data);
    if (size < 0) note(walk);
    if (size <= 0) return false;
    struct dirent64 *entry;
    for (long at = 0; at < size; at += entry->d_reclen) {
      entry = (struct dirent64 *)(dents.data + at);
      if (is_dot(entry->d_name)) continue;
      if (unlinkat(walk->fd, entry->d_name, 0) == 0) continue;
      if (errno != EISDIR && errno != EPERM) {
        note(walk);
        continue;
      }
      if (unlinkat(walk->fd, entry->d_name, AT_REMOVEDIR) == 0) continue;
      if ((errno == ENOTEMPTY || errno == EEXIST) && walk->failed == 0 &&
          descend(walk, entry->d_name))
        return true;
      note(walk);
    }
  }
}

int rmtree(const char *path) {
  if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR) return 0;
  if (errno != EISDIR && errno != EPERM) return -errno;
  if (rmdir(path) == 0) return 0;
  struct walk walk = {.fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (walk.fd < 0) return -errno;
  for (;;) {
    if (sweep(&walk)) continue;
    if (walk.depth == 0) break;
    /* The emptied directory is removed when its parent is swept again. */
    if (!ascend(&walk)) {
      note(&walk);
      break;
    }
    if (walk.failed != 0) break;
  }
  close(walk.fd);
  free(walk.places);
  if (rmdir(path) < 0 && walk.failed == 0) walk.failed = errno;
  return -walk.failed;
}
