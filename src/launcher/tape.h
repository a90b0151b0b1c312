/*
 * The launch tape: a file of system calls with literal arguments, compiled by
 * src/runtime/tape. docs/launch-tape.md describes the image; encode.ts writes it.
 */
#ifndef TSIMG_TAPE_H
#define TSIMG_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_MAGIC 0x50415454u /* "TTAP" */
#define TAPE_VERSION 4u
#define TAPE_REGISTERS 256

/* What is no system call has a negative number. */
enum tape_operation {
  OPERATION_SKIP = -1,   /* nothing: carries a jump */
  OPERATION_FAIL = -2,   /* the label is the message; args[0] is an errno to add, or 0 */
  OPERATION_POKE = -3,   /* args[1] as 32 bits to the address args[0] */
  OPERATION_RMTREE = -4, /* removes the tree at the path args[0] */
  OPERATION_INIT = -5,   /* forks: the parent becomes the reaping PID 1 */
  OPERATION_PROGRAM = -6, /* runs args[0] with argv args[1], envp args[2]; as enum program_manner args[3] says */
  OPERATION_PRINT = -7,  /* args[1] as decimal digits and a NUL to the address args[0] */
  OPERATION_USERNS = -8, /* answers a user namespace with the maps args[0] of uids, args[1] of gids */
  OPERATION_KILLGROUP = -9, /* kills the processes that the file args[0] lists, until there are none */
  OPERATION_HANDOVER = -10, /* goes on as a copy, in the PID namespace that was joined */
  OPERATION_PROCFS = -11, /* answers a context of a procfs for the PID namespace args[0] */
  OPERATION_PROCFS_CHECK = -12, /* fails when the mount args[0] is none of a procfs */
  OPERATION_HOOK = -13, /* runs args[0] with argv args[1], envp args[2]; as hook_run wants the rest */
  OPERATION_AWAIT_CHILD = -14, /* beside the child: goes on when it says that it has come so far */
  OPERATION_AWAIT_LAUNCHER = -15, /* in the child: goes on with a byte from args[0], not at its end */
};

enum tape_step_flag {
  STEP_TOLERATE_ANY = 1,
  STEP_WARN = 2,       /* a tolerated error is still told to the user */
  STEP_RETRY_BUSY = 4, /* EBUSY goes away by itself soon: try again for a while */
};

/* "beside" is the launcher's while the child's steps run: they wait for it where they need to. */
enum tape_phase_name { PHASE_BEFORE, PHASE_BESIDE, PHASE_CHILD, PHASE_AFTER, PHASE_COUNT };

enum tape_option {
  OPTION_DETACHED = 1,
  OPTION_TTY = 2,
  OPTION_STDIN = 4,
  OPTION_DIRECT = 8,     /* the child has the caller's own streams, terminal or not */
  OPTION_TRANSIENT = 16, /* the launcher ends when the child has closed its socket */
  OPTION_KEEP_SIGNALS = 32, /* the caller's side is apart, and its signals end it alone */
  OPTION_RELAY = 64,     /* output passes through pipes of ours in any case */
  OPTION_HANDOVER = 128, /* the child hands over to a copy of itself, which then counts */
  OPTION_LEAVE_STDOUT = 256, /* the caller doesn't get it: the log does, or nobody */
  OPTION_LEAVE_STDERR = 512,
};

/* Registers that the launcher fills: the first four before the clone, each side its own. */
enum tape_register {
  REGISTER_REPORT,
  REGISTER_STDIN,
  REGISTER_STDOUT,
  REGISTER_STDERR,
  REGISTER_CHILD, /* the child's process ID, for the phase beside it and after it */
  /* Of the standard streams the container's ends of our own pipes; -1 for what is the caller's. */
  REGISTER_PIPE_STDIN,
  REGISTER_PIPE_STDOUT,
  REGISTER_PIPE_STDERR,
  REGISTER_NONE = 255,
};

struct tape_header {
  uint32_t magic, version, machine, size;
  uint64_t clone_flags;
  uint32_t options;
  uint32_t relocations, relocation_count;
  struct {
    uint32_t offset, count;
  } phases[PHASE_COUNT];
  /* Offsets of strings; 0 is none. */
  uint32_t started_record, exit_record, log_file, print_id, oom_file;
  uint32_t attach_socket, detach_keys, pid_file;
  uint32_t health_tape, health_log;
  /* Milliseconds. */
  uint32_t health_interval, health_timeout, health_start_period, health_start_interval;
  uint32_t runtime_log; /* offset of a string, as runtime_failure wants it; 0 is none */
  uint64_t log_size;    /* of one file at most; 0 is no limit */
  uint32_t log_files, unused;
};

struct tape_step {
  int32_t number;
  uint8_t result, register_mask, status, flags;
  uint16_t tolerated[4]; /* errno values, 0 is none */
  uint16_t skip_on_ok, skip_on_tolerated;
  uint32_t label, hint, shown; /* offsets of strings; 0 is none */
  uint64_t args[6];
};

_Static_assert(sizeof(struct tape_header) == 144, "header layout");
_Static_assert(sizeof(struct tape_step) == 80, "step layout");

struct tape {
  const struct tape_header *header;
  char *base;
  int64_t registers[TAPE_REGISTERS];
  bool asleep;
};

/* Told of a step that failed, or that was tolerated and is marked to be told. */
typedef void tape_notice(struct tape *tape, const struct tape_step *step, int error, bool fatal);

/* Maps and relocates the file at `path`; false after printing why not. */
bool tape_map(struct tape *tape, const char *path);

/*
 * Between the start and the end of a container: drops the tape's pages, and makes the
 * tape fit to run again.
 */
void tape_sleep(struct tape *tape);
void tape_wake(struct tape *tape);

/*
 * Performs a phase's steps in order. Stops at the first failure and returns that step,
 * or with `keep_going` returns NULL after the last one.
 */
const struct tape_step *tape_run(struct tape *tape, enum tape_phase_name phase, bool keep_going,
                                 tape_notice *notice);

const struct tape_step *tape_step_at(const struct tape *tape, enum tape_phase_name phase,
                                     uint32_t index);

/* The string at `offset`, or NULL for 0. */
const char *tape_string(const struct tape *tape, uint32_t offset);

#endif
