// A process that runs a command, and ends it and all that it started when its parent dies.
//
// The parent starts its own executable under the name APUS_SUPERVISOR: a rank must not fork without
// exec. The mode begins before the constructors of the libraries and before main, so that a start
// costs a few milliseconds and no thread of OpenBLAS. The supervisor adopts the orphans among its
// descendants, which a process in a session of its own becomes.
#define _GNU_SOURCE
#include "include/csystem.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void ignore(int number) { (void)number; }

// Kills and reaps all descendants. The children of a killed process become children of this one.
// One that cannot be killed, as in a hung file system, is left to the parent after some seconds.
static void end_descendants(void) {
  for (int tries = 0; tries < 5000; tries++) {
    int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    char text[4096];
    pid_t child = 0;
    for (ssize_t count; list >= 0 && (count = read(list, text, sizeof text)) > 0;)
      for (ssize_t place = 0; place < count; place++) {
        if (text[place] >= '0' && text[place] <= '9') {
          child = child * 10 + (text[place] - '0');
        } else if (child > 0) {
          kill(child, SIGKILL);
          child = 0;
        }
      }
    if (list >= 0) close(list);
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {}
    if (ended < 0) return;
    usleep(1000);
  }
}

// Ends this process as the command ended.
static void end_as(int status) {
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  signal(WTERMSIG(status), SIG_DFL);
  kill(getpid(), WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

static void supervise(int count, char **arguments, char **environment) {
  if (count < 2 || strcmp(arguments[0], APUS_SUPERVISOR) != 0) return;
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  fcntl(APUS_LIFELINE, F_SETFD, FD_CLOEXEC);
  // A child that ends interrupts the wait below, and only that.
  sigset_t given, waiting, ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, &given);
  waiting = given;
  sigdelset(&waiting, SIGCHLD);
  signal(SIGCHLD, ignore);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &given);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  // posix_spawnp reads PATH there, and the constructors have not run.
  environ = environment;
  pid_t command;
  char **words = arguments + 1;
  if (posix_spawnp(&command, words[0], NULL, &attributes, words, environment) != 0) _exit(127);

  struct pollfd parent = {.fd = APUS_LIFELINE};
  while (1) {
    int status;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;)
      if (child == command) {
        end_descendants();
        end_as(status);
      }
    if (ppoll(&parent, 1, NULL, &waiting) <= 0) continue;
    end_descendants();
    _exit(1);
  }
}

__attribute__((section(".preinit_array"), used)) static void (*const start)(
    int, char **, char **) = supervise;
