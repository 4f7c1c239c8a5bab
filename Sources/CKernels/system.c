// What of the system Swift's Glibc does not import: the cores of a thread, the C library's version.
#define _GNU_SOURCE
#include "include/system.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <gnu/libc-version.h>
#include <sched.h>

int apus_get_affinity(uint8_t *mask, size_t bytes) {
  return sched_getaffinity(0, bytes, (cpu_set_t *)mask);
}

int apus_set_affinity(const uint8_t *mask, size_t bytes) {
  return sched_setaffinity(0, bytes, (const cpu_set_t *)mask);
}

const char *apus_libc_version(void) { return gnu_get_libc_version(); }

bool apus_half_products_are_quick(void) {
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  bool has_tiles = d >> 22 & 1;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return false;
  if (has_tiles) return true;
  __cpuid(0, a, b, c, d);
  bool is_intel = b == signature_INTEL_ebx && d == signature_INTEL_edx;
  __cpuid(1, a, b, c, d);
  unsigned model = (a >> 4 & 15) | (a >> 12 & 0xF0);
  return !is_intel || model == 0x55;
#else
  return false;
#endif
}
