/*
 * Who is in a PID namespace sees whatever is cloned into it from its first moment, and with
 * CAP_SYS_PTRACE can look into it. So everything is done by a process that is in the launcher's
 * PID namespace still: it joins, lets go of all that is the host's, drops its rights, and then
 * hands over to a copy of itself, which is the launcher's child as it was.
 */
#ifndef TSIMG_HANDOVER_H
#define TSIMG_HANDOVER_H

#include <stdbool.h>
#include <sys/types.h>

/* In the launcher, before the clone. */
bool handover_prepare(void);

/*
 * In the child, first of all: keeps out of the copy what the launcher is told by, and the
 * caller's environment.
 */
void handover_enter(void);

/* What others may read of who is about to be among them. */
void forget_environment(void);

/*
 * In the child: returns 0 in the copy, and in the child itself a negated errno or never.
 * A plain clone(2) with no flag that a container's seccomp filter might look for.
 */
int handover(void);

/*
 * In the launcher, when `child` has started its program, or was killed as it failed to. Answers
 * whom to wait for: the copy, when there is one; `child` is then gone.
 */
pid_t handover_finish(pid_t child, bool started);

#endif
