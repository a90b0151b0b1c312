/*
 * A procfs belongs to the PID namespace of who begins to make it. For one that others are in,
 * too, that is a process which has nothing of ours: an empty root, no descriptor, and rights
 * in a user namespace of its own alone.
 */
#ifndef TSIMG_PROCFS_H
#define TSIMG_PROCFS_H

/* A file system context, as of fsopen(2), for the namespace of that descriptor; or -errno. */
int procfs_of(int pid_namespace);

/*
 * Refuses with -EPROTO a mount of anything else: the others may have taken control of the
 * process that began to make it.
 */
int procfs_check(int mount);

#endif
