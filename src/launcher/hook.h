/* Programs that a bundle asks for on a container's way to its own program. */
#ifndef TSIMG_HOOK_H
#define TSIMG_HOOK_H

#include <stdint.h>

/*
 * Runs a hook to its end and answers 0, a negated errno when it couldn't be run or took too
 * long, or what `failed_with` makes of its status. Its input are these pieces, one behind the
 * other; its output nobody reads; its errors go where ours go.
 *
 * `timeout` is in milliseconds, 0 is none. `directory` may be NULL, for the caller's own.
 */
int hook_run(const char *path, char *const argv[], char *const envp[], char *const pieces[],
             uint64_t timeout, const char *directory);

#endif
