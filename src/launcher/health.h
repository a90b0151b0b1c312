/*
 * A container's health check: a tape that runs the check in it, performed by a launcher of
 * its own at intervals; each result becomes a line of the health log. What the results mean
 * is for who reads them.
 */
#ifndef TSIMG_HEALTH_H
#define TSIMG_HEALTH_H

#include <sys/types.h>

/* A check's launcher is called so, and joins the container through this descriptor. */
#define HEALTH_NAME "tsimg-health"
#define HEALTH_CONTAINER_FD 10

void health_start(void);
void health_stop(void);

/* Readable when health_due is to be called; -1 without a check. */
int health_timer(void);
void health_due(void);

/* Readable when health_said is to be called; -1 without a check that has something to say. */
int health_output(void);
void health_said(void);

/* A child of ours that isn't the container's first process has ended. */
void health_reaped(pid_t pid, int status);

#endif
