/*
 * A container's streams: what it writes goes to its log, to the caller's own descriptors and
 * to attached clients; what these send goes to its input. Nothing more is read from the
 * container while somebody has not taken the last piece: output is never lost, and a slow
 * reader slows the container down, as a pipe would.
 */
#ifndef TSIMG_HUB_H
#define TSIMG_HUB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"

#define HUB_POLLS 16

/* Where the container's output is read: stream 1 or 2; with a terminal its master is 1. */
void hub_source(int stream, int fd);
/* Where its input is written. */
void hub_input(int fd, bool terminal);

/* Takers: the log, a descriptor of ours that gets a stream's bytes as they are, a client. */
void hub_log(struct log_file *log);
void hub_copy(int stream, int fd);
bool hub_client(int socket);
/* New clients are accepted on this listening socket. */
void hub_listen(int socket);
/* A descriptor of ours to read the input from. */
void hub_read_input(int fd);

/* What a client asks for beside input; `hub_step` calls it. */
typedef void hub_signal(int number);

/* Tells the clients that the container runs. */
void hub_begin(void);

/* Fills in what to wait for and answers how many; `hub_step` gets the same with the answers. */
int hub_polls(struct pollfd polls[HUB_POLLS]);
void hub_step(const struct pollfd polls[HUB_POLLS], int count, hub_signal *signal);

/*
 * Passes on everything that can be read without waiting. The caller's own descriptors may
 * take their time until one of the `signals` comes (a signalfd); a client has a second.
 */
void hub_drain(int signals);

/* Tells all clients the container's exit status and lets go of them. */
void hub_end(uint8_t status);

#endif
