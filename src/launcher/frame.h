/*
 * What an attached client and a container's launcher tell each other: packets of a unix
 * socket (SOCK_SEQPACKET), a byte that says what it is before the content.
 */
#ifndef TSIMG_FRAME_H
#define TSIMG_FRAME_H

#include <stdint.h>

#define FRAME_DATA 16384

enum frame_kind {
  FRAME_INPUT = 0,
  FRAME_OUTPUT = 1, /* 1 and 2 are the streams' descriptors */
  FRAME_ERROR = 2,
  FRAME_INPUT_END = 3,
  FRAME_SIZE = 4,   /* struct winsize */
  FRAME_SIGNAL = 5, /* one byte */
  FRAME_EXIT = 6,   /* one byte, the exit status */
  FRAME_DETACH = 7,
  FRAME_START = 8, /* the container runs: the client may take the terminal */
};

struct frame {
  uint8_t kind;
  uint8_t data[FRAME_DATA];
};

#endif
