/* What another runtime, which the launcher's child has become, says of a start that failed. */
#ifndef TSIMG_RUNTIME_LOG_H
#define TSIMG_RUNTIME_LOG_H

/*
 * The exit status for it: 127 when there is no such program in the container, 126 when it can't
 * be executed, 125 for all else. 0 when the container was made, and the status is its own.
 *
 * `about` has three lines: the runtime's log, the file that gets the process ID of a container
 * that was made, and the program as it was asked for.
 */
int runtime_failure(const char *about);

#endif
