/*
 * The parent of one container. Performs a launch tape around clone(2), then waits: passes
 * signals on, passes output to who takes it, records the end, performs the clean-up steps.
 *
 *   launcher TAPE
 *   launcher --attach SOCKET FLAGS KEYS
 *   launcher -- COMMAND...               in a container of another runtime, as its process 1
 *
 * Everything that could be decided beforehand is in the tape.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"
#include "health.h"
#include "init.h"
#include "launch.h"
#include "seal.h"
#include "supervise.h"

/* The foreground half of a detached start: waits for the other half's word. */
static int await_background(int background) {
  uint8_t status = STATUS_OWN;
  ssize_t size;
  while ((size = read(background, &status, 1)) < 0 && errno == EINTR)
    ;
  const char *id = string_at(launch.tape.header->print_id);
  if (size == 1 && status == 0 && id != NULL) dprintf(STDOUT_FILENO, "%s\n", id);
  return status;
}

/* Goes on twice: true in the background, in a session of its own. */
static bool split(void) {
  pid_t background = fork();
  if (background < 0) {
    fail("going to the background", errno);
    _exit(STATUS_OWN);
  }
  if (background == 0) setsid();
  return background == 0;
}

static int run_detached(void) {
  int word[2];
  if (pipe2(word, O_CLOEXEC) < 0) return STATUS_OWN;
  if (!split()) {
    close(word[1]);
    return await_background(word[0]);
  }
  close(word[0]);
  uint8_t status = (uint8_t)supervise(word[1], -1);
  /* After a start that worked there is nobody left to read this. */
  if (launch.failure.status != 0) (void)!write(word[1], &status, 1);
  return status;
}

/*
 * A container with a terminal that somebody sits at, or one whose caller may go before it ends:
 * this process is that somebody's client and may leave, the other half is the container's
 * parent and stays.
 */
static int run_attached(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return STATUS_OWN;
  if (split()) {
    close(ends[0]);
    return supervise(-1, ends[1]);
  }
  close(ends[1]);
  bool terminal = has_option(OPTION_TTY);
  struct attachment attachment = {
      .socket = ends[0],
      .terminal = terminal,
      .input = has_option(OPTION_STDIN),
      .input_ends = !terminal,
      .leaves = !terminal,
      .signals = !has_option(OPTION_KEEP_SIGNALS),
      .without = {[STDOUT_FILENO] = has_option(OPTION_LEAVE_STDOUT),
                  [STDERR_FILENO] = has_option(OPTION_LEAVE_STDERR)},
      .detach_keys = string_at(launch.tape.header->detach_keys),
  };
  return attach(&attachment);
}

static void set_descriptors(bool health) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
  if (!health) {
    syscall(SYS_close_range, 3u, ~0u, 0);
    return;
  }
  syscall(SYS_close_range, 3u, HEALTH_CONTAINER_FD - 1u, 0);
  syscall(SYS_close_range, HEALTH_CONTAINER_FD + 1u, ~0u, 0);
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "--") == 0) return init_main(argv + 2);
  bool client = argc == 5 && strcmp(argv[1], "--attach") == 0;
  if (argc != 2 && !client) {
    dprintf(STDERR_FILENO, "usage: launcher TAPE\n");
    return STATUS_OWN;
  }
  if (!client) seal_program(argv);
  set_descriptors(argc == 2 && strcmp(argv[0], HEALTH_NAME) == 0);
  supervise_signals();
  if (client) return attach_main(argv + 2);
  launch.tape_path = argv[1];
  if (!tape_map(&launch.tape, launch.tape_path)) return STATUS_OWN;
  if (has_option(OPTION_DETACHED)) return run_detached();
  bool apart = has_option(OPTION_TTY) || has_option(OPTION_KEEP_SIGNALS);
  return apart ? run_attached() : supervise(-1, -1);
}
