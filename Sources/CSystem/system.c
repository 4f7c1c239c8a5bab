// System calls that Swift's Glibc module does not import: thread affinity, the adoption of orphans,
// and the C library's version.
#define _GNU_SOURCE
#include "include/csystem.h"
#include <gnu/libc-version.h>
#include <sched.h>
#include <sys/prctl.h>

int apus_get_affinity(uint8_t *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, (cpu_set_t *)mask);
}

int apus_set_affinity(const uint8_t *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, (const cpu_set_t *)mask);
}

int apus_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

const char *apus_libc_version(void) { return gnu_get_libc_version(); }
