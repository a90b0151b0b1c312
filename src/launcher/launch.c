#include "launch.h"

#include <stdio.h>
#include <unistd.h>

struct launch launch;

bool has_option(enum tape_option option) {
  return (launch.tape.header->options & option) != 0;
}

const char *string_at(uint32_t offset) { return tape_string(&launch.tape, offset); }

void tell(struct tape *from, const struct tape_step *step, int error, bool fatal) {
  struct text message;
  message.used = 0;
  text_add(&message, tape_string(from, step->label));
  if (error != 0) {
    text_add(&message, ": ");
    text_add_error(&message, error);
  }
  const char *shown = tape_string(from, step->shown);
  if (shown != NULL) dprintf(STDERR_FILENO, "%s %s\n", fatal ? "-->" : "---", shown);
  dprintf(STDERR_FILENO, "tsimg: %s%s\n", fatal ? "" : "warning: ", text_string(&message));
  if (step->hint != 0) dprintf(STDERR_FILENO, "hint: %s\n", tape_string(from, step->hint));
  if (!fatal) return;
  launch.failure.message = message;
  launch.failure.status = step->status;
}

void fail(const char *what, int error) {
  struct text *message = &launch.failure.message;
  message->used = 0;
  text_add(message, what);
  text_add(message, ": ");
  text_add_error(message, error);
  dprintf(STDERR_FILENO, "tsimg: %s\n", text_string(message));
  if (launch.failure.status == 0) launch.failure.status = STATUS_OWN;
}
