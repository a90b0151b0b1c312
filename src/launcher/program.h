#ifndef TSIMG_PROGRAM_H
#define TSIMG_PROGRAM_H

enum program_manner {
  PROGRAM_WAIT,   /* its end is waited for */
  PROGRAM_LEAVE,  /* it goes on by itself */
  PROGRAM_ATTEND, /* it ends when we do */
};

/* What stands for a status of wait(2) among negated errnos: see text_add_error. */
int failed_with(int status);

/*
 * Runs a program that needs neither input nor output; it may still complain on standard
 * error. Returns 0, or a negated errno when it could not be run, or what `failed_with` makes
 * of its status.
 */
int program_run(const char *path, char *const argv[], char *const envp[], enum program_manner manner);

#endif
