#ifndef TSIMG_INIT_H
#define TSIMG_INIT_H

/*
 * Forks. The child gets 0 and goes on with the tape; the parent stays as the container's
 * PID 1, forwards signals, reaps orphans, ends with the child's status and never returns.
 * Returns a negated errno when there can be no fork.
 */
int init_fork(void);

/* The same where the program is this one: the command, found as execvp does, or why not. */
int init_main(char **command);

#endif
