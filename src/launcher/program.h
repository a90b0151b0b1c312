#ifndef TSIMG_PROGRAM_H
#define TSIMG_PROGRAM_H

#include <stdbool.h>

/*
 * Runs a program that needs neither input nor output, and waits for its end; it may still
 * complain on standard error. Returns 0, or a negated errno when it could not be run or did
 * not end with 0.
 */
int program_run(const char *path, char *const argv[], char *const envp[], bool wait);

#endif
