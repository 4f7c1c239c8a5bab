// Mapped files whose pages cannot be read, because another process has shortened the file or its
// disk fails: the access raises SIGBUS. The handler looks the address up among the mapped files and
// ends the process with a sentence; it calls only async-signal-safe functions. Any other SIGBUS gets
// the action that it had before.
#include "include/csystem.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A slot of the list, never freed, so that the handler may read it at any moment. `start` is 0 while
// the slot is free, and is set last.
struct mapping {
  _Atomic uintptr_t start, end;
  struct mapping *next;
  char path[PATH_MAX];
};

static _Atomic(struct mapping *) mappings;
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static atomic_flag is_ending = ATOMIC_FLAG_INIT;

static void say(const char *text) {
  size_t rest = strlen(text);
  while (rest > 0) {
    ssize_t written = write(STDERR_FILENO, text, rest);
    if (written <= 0) return;
    text += written;
    rest -= (size_t)written;
  }
}

static void handle(int number, siginfo_t *info, void *context) {
  (void)context;
  // A positive code means a fault of the memory, not a signal that a process sent.
  uintptr_t address = info->si_code > 0 ? (uintptr_t)info->si_addr : 0;
  for (struct mapping *m = atomic_load(&mappings); address != 0 && m != NULL; m = m->next) {
    uintptr_t start = atomic_load(&m->start);
    if (start == 0 || address < start || address >= atomic_load(&m->end)) continue;
    // Several threads may read the same file; one of them speaks.
    while (atomic_flag_test_and_set(&is_ending)) pause();
    say("apus: ");
    say(m->path);
    say(" can no longer be read: another process has shortened it, or its disk or mount fails; "
        "copy it again or build it again, and start the same command again.\n");
    _exit(5);
  }
  sigaction(number, &before, NULL);
  if (info->si_code <= 0) raise(number);
}

static void install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGBUS, &action, &before);
}

void apus_name_mapping(const void *start, size_t bytes, const char *path) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  pthread_mutex_lock(&changing);
  struct mapping *m = atomic_load(&mappings);
  while (m != NULL && atomic_load(&m->start) != 0) m = m->next;
  int is_new = m == NULL;
  if (is_new) m = calloc(1, sizeof *m);
  if (m != NULL) {
    size_t count = 0;
    for (; path[count] != 0 && count + 1 < sizeof m->path; count++)
      m->path[count] = (unsigned char)path[count] < 32 ? '?' : path[count];
    m->path[count] = 0;
    atomic_store(&m->end, (uintptr_t)start + bytes);
    atomic_store(&m->start, (uintptr_t)start);
    if (is_new) {
      m->next = atomic_load(&mappings);
      atomic_store(&mappings, m);
    }
  }
  pthread_mutex_unlock(&changing);
}

void apus_forget_mapping(const void *start) {
  pthread_mutex_lock(&changing);
  for (struct mapping *m = atomic_load(&mappings); m != NULL; m = m->next)
    if (atomic_load(&m->start) == (uintptr_t)start) atomic_store(&m->start, 0);
  pthread_mutex_unlock(&changing);
}
