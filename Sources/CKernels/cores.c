// Linux's calls for the cores of a thread are GNU extensions, which Swift's Glibc does not import.
#define _GNU_SOURCE
#include "include/cores.h"
#include <sched.h>

int apus_get_affinity(uint8_t *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, (cpu_set_t *)mask);
}

int apus_set_affinity(const uint8_t *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, (const cpu_set_t *)mask);
}
