#include "include/ckernels.h"
#include <stdlib.h>
#include <string.h>

int apus_chosen_level = APUS_V1;
static const char *refused_level;

static int level_of_cpu(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return APUS_V4;
  if (__builtin_cpu_supports("x86-64-v3")) return APUS_V3;
#endif
  return APUS_V1;
}

static const char *name_of(int level) {
  return level == APUS_V4 ? "x86-64-v4" : level == APUS_V3 ? "x86-64-v3" : "default";
}

// Runs before main: no kernel may run before the level is known.
__attribute__((constructor)) static void choose_level(void) {
  apus_chosen_level = level_of_cpu();
  const char *wanted = getenv("APUS_CPU_LEVEL");
  if (wanted == NULL || *wanted == 0) return;
  for (int level = APUS_V1; level <= apus_chosen_level; level++) {
    if (level != APUS_V1 && level != APUS_V3 && level != APUS_V4) continue;
    if (strcmp(wanted, name_of(level)) == 0) {
      apus_chosen_level = level;
      return;
    }
  }
  refused_level = wanted;
}

const char *apus_cpu_level(void) { return name_of(apus_chosen_level); }

const char *apus_refused_cpu_level(void) { return refused_level; }
