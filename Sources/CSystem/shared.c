// Memory that the processes of a host share.
//
// It is a file without a name in any folder: no other program finds it by chance, a small /dev/shm
// does not limit it, and nothing of it is left when the last process that maps it has ended, however
// it ended.
#define _GNU_SOURCE
#include "include/csystem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int apus_create_shared_memory(size_t bytes) {
  // A file beyond the limit would raise SIGXFSZ.
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur) {
    errno = EFBIG;
    return -1;
  }
  int file = memfd_create("apus", MFD_CLOEXEC);
  if (file >= 0 && ftruncate(file, (off_t)bytes) != 0) {
    int reason = errno;
    close(file);
    errno = reason;
    return -1;
  }
  return file;
}

uint64_t apus_file_number(int file) {
  struct stat status;
  return fstat(file, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

int apus_open_shared_memory(int process, int file, uint64_t number, size_t bytes) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", process, file);
  // The number may belong to another process here, whose file can be a pipe.
  int opened = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) return -1;
  // memfd files have no seals unless asked for; other files fail here.
  struct stat status;
  if (fcntl(opened, F_GET_SEALS) < 0 || fstat(opened, &status) != 0 ||
      (uint64_t)status.st_ino != number || (size_t)status.st_size != bytes) {
    close(opened);
    errno = ESTALE;
    return -1;
  }
  return opened;
}
