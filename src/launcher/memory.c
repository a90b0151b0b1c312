#include "memory.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define PAGE 4096ul

/*
 * The kernel maps 16 pages around each page that is touched, but never beyond the mapping
 * it is in. Advice that changes every few pages makes small mappings of a large one.
 */
#define PIECE (4 * PAGE)

static void release(uintptr_t start, uintptr_t end) {
  bool odd = false;
  for (uintptr_t at = start; at < end; at += PIECE, odd = !odd)
    if (odd) madvise((void *)at, end - at < PIECE ? end - at : PIECE, MADV_RANDOM);
  madvise((void *)start, end - start, MADV_DONTNEED);
}

void memory_release_program(void) {
  const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
  unsigned long count = getauxval(AT_PHNUM);
  /* Linked at a fixed address: p_vaddr is where a segment is. */
  for (; header != NULL && count > 0; header++, count--) {
    if (header->p_type != PT_LOAD || (header->p_flags & PF_W)) continue;
    uintptr_t start = header->p_vaddr & ~(PAGE - 1);
    release(start, (header->p_vaddr + header->p_memsz + PAGE - 1) & ~(PAGE - 1));
  }
}
