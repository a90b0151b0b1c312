/* A user namespace with nobody in it, as mount_setattr(2) wants one to map a mount's owners. */
#ifndef TSIMG_USERNS_H
#define TSIMG_USERNS_H

/*
 * A descriptor of a new user namespace with these maps ("inside outside count" lines), or a
 * negated errno.
 */
int userns_make(const char *uid_map, const char *gid_map);

#endif
