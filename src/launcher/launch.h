/* The one launch that this process is for. */
#ifndef TSIMG_LAUNCH_H
#define TSIMG_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tape.h"
#include "text.h"

#define STATUS_OWN 125

struct launch {
  struct tape tape;
  char *tape_path; /* our argument: shown to who lists processes */
  pid_t child;
  /* Why it failed: `status` is 0 while it hasn't. */
  struct {
    int status;
    struct text message;
  } failure;
};

extern struct launch launch;

bool has_option(enum tape_option option);
const char *string_at(uint32_t offset);

/* A tape_notice: says on standard error what went wrong, and keeps it when it is the end. */
void tell(struct tape *from, const struct tape_step *step, int error, bool fatal);

/* The same for what is no step. */
void fail(const char *what, int error);

/*
 * Clones the child and performs the steps beside it. True when its program runs, or for a
 * transient launch when it is ready to. Connects its streams with the hub.
 */
bool start_child(void);

/* Beside the child: 0 when it has come so far, a negated errno when it has ended before. */
int await_child(void);

#endif
