/*
 * The launcher's own program file, out of reach of what it starts: a copy in memory that
 * nobody can change (CVE-2019-5736: a container wrote to the runtime through /proc/PID/exe).
 */
#ifndef TSIMG_SEAL_H
#define TSIMG_SEAL_H

/* Goes on in a sealed copy of this program. Returns when it is one, or can't become one. */
void seal_program(char **argv);

/*
 * Offers this process's copy, if it made one, to launchers that start later: while it runs,
 * they need none of their own.
 */
void seal_offer(void);

#endif
