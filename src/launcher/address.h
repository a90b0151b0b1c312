/* Addresses of unix sockets by paths of any length; the kernel takes 107 bytes. */
#ifndef TSIMG_ADDRESS_H
#define TSIMG_ADDRESS_H

#include <stdbool.h>
#include <sys/un.h>

struct address {
  struct sockaddr_un name;
  int directory; /* to be closed when it was used; -1 for none */
};

/* False with errno set. A long path is named by way of its directory, opened for it. */
bool address_open(struct address *address, const char *path);
void address_close(struct address *address);

#endif
