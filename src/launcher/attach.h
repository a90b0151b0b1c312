/* The caller's side of an attached container: its terminal or streams, and one socket. */
#ifndef TSIMG_ATTACH_H
#define TSIMG_ATTACH_H

#include <stdbool.h>

struct attachment {
  int socket;
  bool terminal; /* the container has one: ours becomes raw */
  bool input;    /* standard input is passed on */
  bool input_ends; /* so is its end */
  bool leaves;     /* ends when nobody reads what it writes */
  bool signals;  /* passed on, not our own end */
  bool without[3]; /* of the container's output by stream: not shown */
  const char *detach_keys; /* bytes that let go of the container, or NULL */
};

/* Passes bytes until the container ends or the keys are typed. Answers the exit status. */
int attach(const struct attachment *attachment);

/* As the command line says it: SOCKET FLAGS KEYS, each letter of FLAGS one of t, i, e, s. */
int attach_main(char **arguments);

#endif
