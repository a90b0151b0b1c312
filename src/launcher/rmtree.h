#ifndef TSIMG_RMTREE_H
#define TSIMG_RMTREE_H

/*
 * Removes the file or the directory tree at `path`, whatever a container left in it.
 * Symbolic links are removed, never followed; mount points are not entered. A path that
 * isn't there is no error. Returns 0 or a negated errno, having removed what it could.
 */
int rmtree(const char *path);

#endif
