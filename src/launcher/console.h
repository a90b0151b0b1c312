/* The caller's terminal, while a container has it. */
#ifndef TSIMG_CONSOLE_H
#define TSIMG_CONSOLE_H

#include <sys/ioctl.h>

/* Raw mode on the terminal at `fd`, until console_restore; nothing when it isn't one. */
void console_raw(int fd);
void console_restore(void);

/* Size of the terminal at standard input or output; 0 when there is none, else 1. */
int console_size(struct winsize *size);

#endif
