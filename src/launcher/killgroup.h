/* Takes down whatever is left in a cgroup: without a PID namespace it outlives the first process. */
#ifndef TSIMG_KILLGROUP_H
#define TSIMG_KILLGROUP_H

/* Kills all processes that the file `path` (cgroup.procs) lists, until none is left; 0 or -errno. */
int killgroup(const char *path);

#endif
