/* A detached launcher may live for months: it keeps only what waiting needs in memory. */
#ifndef TSIMG_MEMORY_H
#define TSIMG_MEMORY_H

/*
 * Gives the program's own clean pages back; the few that waiting needs come again by
 * themselves.
 */
void memory_release_program(void);

#endif
