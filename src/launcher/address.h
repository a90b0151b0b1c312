/* Addresses of sockets in the file system, whose paths the kernel keeps short. */
#ifndef TSIMG_ADDRESS_H
#define TSIMG_ADDRESS_H

#include <sys/un.h>

/*
 * The address of the socket at `path`, by way of a descriptor of its directory, so that the
 * directory's own path may be of any length. Answers that descriptor, to be closed after use,
 * or -1 with errno.
 */
int address_of(const char *path, struct sockaddr_un *address);

#endif
