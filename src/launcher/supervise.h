/* A container's life: its start, the wait for its end, the record, the clean-up. */
#ifndef TSIMG_SUPERVISE_H
#define TSIMG_SUPERVISE_H

/*
 * Performs the whole launch and answers with its exit status.
 *
 * `word`: where one byte says that the container runs, or what status it failed with; -1 for
 * none. `client`: a socket of an attached client that is there from the start, or -1. With
 * either, this process lets go of the caller's streams once the container runs.
 */
int supervise(int word, int client);

/* Blocks what is read from a signalfd instead; the rest gets the kernel's defaults. */
void supervise_signals(void);

#endif
