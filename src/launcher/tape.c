#include "tape.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "handover.h"
#include "hook.h"
#include "init.h"
#include "killgroup.h"
#include "launch.h"
#include "procfs.h"
#include "program.h"
#include "rmtree.h"
#include "text.h"
#include "userns.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "the launcher knows x86_64 and aarch64"
#endif

/* A cgroup is busy until the kernel has let go of its last task: 2 seconds for all of them. */
#define BUSY_TRIES 1000
#define BUSY_PAUSE_NS 2000000

static int busy_tries = BUSY_TRIES;

static bool refuse(const char *path, const char *why) {
  dprintf(STDERR_FILENO, "tsimg: launch tape \"%s\": %s\n", path, why);
  return false;
}

static bool inside(const struct tape_header *header, uint64_t offset, uint64_t size) {
  return offset <= header->size && size <= header->size - offset;
}

static const char *defect(const struct tape_header *header, size_t size) {
  if (size < sizeof *header || header->magic != TAPE_MAGIC) return "not a launch tape";
  if (header->version != TAPE_VERSION) return "made by another version of tsimg";
  if (header->machine != MACHINE) return "made for another kind of machine";
  if (header->size != size) return "truncated";
  if (!inside(header, header->relocations, 4ull * header->relocation_count)) return "damaged";
  for (int phase = 0; phase < PHASE_COUNT; phase++)
    if (!inside(header, header->phases[phase].offset,
                (uint64_t)header->phases[phase].count * sizeof(struct tape_step)))
      return "damaged";
  return NULL;
}

static bool relocate(struct tape *tape) {
  const struct tape_header *header = tape->header;
  const uint32_t *offsets = (const uint32_t *)(tape->base + header->relocations);
  for (uint32_t i = 0; i < header->relocation_count; i++) {
    if (offsets[i] % 8 != 0 || !inside(header, offsets[i], 8)) return false;
    *(uint64_t *)(tape->base + offsets[i]) += (uint64_t)(uintptr_t)tape->base;
  }
  return true;
}

bool tape_map(struct tape *tape, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) return refuse(path, strerror(errno));
  size_t size = (size_t)status.st_size;
  if (size < sizeof *tape->header) return refuse(path, "not a launch tape");
  tape->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (tape->base == MAP_FAILED) return refuse(path, strerror(errno));
  close(fd);
  tape->header = (const struct tape_header *)tape->base;
  const char *why = defect(tape->header, size);
  if (why == NULL && !relocate(tape)) why = "damaged";
  return why == NULL || refuse(path, why);
}

void tape_sleep(struct tape *tape) {
  /* A private mapping: the relocated pages go back to what the file has. */
  tape->asleep = madvise(tape->base, tape->header->size, MADV_DONTNEED) == 0;
}

void tape_wake(struct tape *tape) {
  if (tape->asleep) relocate(tape);
  tape->asleep = false;
}

const char *tape_string(const struct tape *tape, uint32_t offset) {
  return offset == 0 ? NULL : tape->base + offset;
}

const struct tape_step *tape_step_at(const struct tape *tape, enum tape_phase_name phase,
                                     uint32_t index) {
  if (index >= tape->header->phases[phase].count) return NULL;
  return (const struct tape_step *)(tape->base + tape->header->phases[phase].offset) + index;
}

/* Answers as the kernel does: a result, or a negated errno. */
static int64_t perform(const struct tape_step *step, const uint64_t *a) {
  switch (step->number) {
    case OPERATION_SKIP:
      return 0;
    case OPERATION_FAIL:
      return -4096;
    case OPERATION_POKE:
      *(uint32_t *)(uintptr_t)a[0] = (uint32_t)a[1];
      return 0;
    case OPERATION_RMTREE:
      return rmtree((const char *)(uintptr_t)a[0]);
    case OPERATION_INIT:
      return init_fork();
    case OPERATION_PROGRAM:
      return program_run((const char *)(uintptr_t)a[0], (char *const *)(uintptr_t)a[1],
                         (char *const *)(uintptr_t)a[2], (enum program_manner)a[3]);
    case OPERATION_PRINT:
      print_number((char *)(uintptr_t)a[0], (int64_t)a[1]);
      return 0;
    case OPERATION_KILLGROUP:
      return killgroup((const char *)(uintptr_t)a[0]);
    case OPERATION_HANDOVER:
      return handover();
    case OPERATION_PROCFS:
      return procfs_of((int)a[0]);
    case OPERATION_PROCFS_CHECK:
      return procfs_check((int)a[0]);
    case OPERATION_HOOK:
      return hook_run((const char *)(uintptr_t)a[0], (char *const *)(uintptr_t)a[1],
                      (char *const *)(uintptr_t)a[2], (char *const *)(uintptr_t)a[3], a[4],
                      (const char *)(uintptr_t)a[5]);
    case OPERATION_AWAIT_CHILD:
      return await_child();
    case OPERATION_USERNS:
      return userns_make((const char *)(uintptr_t)a[0], (const char *)(uintptr_t)a[1]);
    default: {
      long answer = syscall(step->number, a[0], a[1], a[2], a[3], a[4], a[5]);
      return answer == -1 ? -errno : answer;
    }
  }
}

static int64_t attempt(struct tape *tape, const struct tape_step *step) {
  uint64_t args[6];
  for (int i = 0; i < 6; i++) {
    bool from_register = (step->register_mask >> i) & 1;
    args[i] = from_register ? (uint64_t)tape->registers[step->args[i] % TAPE_REGISTERS]
                            : step->args[i];
  }
  int64_t answer = perform(step, args);
  while (answer == -EBUSY && (step->flags & STEP_RETRY_BUSY) && busy_tries > 0) {
    /* Most are free within microseconds: the first pauses are short. */
    struct timespec pause = {.tv_nsec = BUSY_TRIES - busy_tries < 10 ? 20000 : BUSY_PAUSE_NS};
    busy_tries--;
    nanosleep(&pause, NULL);
    answer = perform(step, args);
  }
  return answer;
}

static bool tolerated(const struct tape_step *step, int error) {
  if (step->number == OPERATION_FAIL) return false;
  if (step->flags & STEP_TOLERATE_ANY) return true;
  for (int i = 0; i < 4; i++)
    if (step->tolerated[i] == error) return true;
  return false;
}

const struct tape_step *tape_run(struct tape *tape, enum tape_phase_name phase, bool keep_going,
                                 tape_notice *notice) {
  const struct tape_step *step = tape_step_at(tape, phase, 0);
  const struct tape_step *end = step + tape->header->phases[phase].count;
  for (; step != NULL && step < end; step++) {
    int64_t answer = attempt(tape, step);
    if (answer >= 0) {
      if (step->result != REGISTER_NONE) tape->registers[step->result] = answer;
      step += step->skip_on_ok;
      continue;
    }
    int error = step->number == OPERATION_FAIL ? (int)step->args[0] : (int)-answer;
    if (tolerated(step, error)) {
      if (step->flags & STEP_WARN) notice(tape, step, error, false);
      step += step->skip_on_tolerated;
      continue;
    }
    notice(tape, step, error, !keep_going);
    if (!keep_going) return step;
  }
  return NULL;
}
