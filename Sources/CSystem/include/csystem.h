#pragma once
#include <stddef.h>
#include <stdint.h>

/// Sets bit c of the mask when the calling thread may run on core c. Returns 0, or −1 and errno.
int apus_get_affinity(uint8_t *mask, size_t bytes);
/// Binds the calling thread to the cores in the mask. Returns 0, or −1 and errno.
int apus_set_affinity(const uint8_t *mask, size_t bytes);
/// The version of the C library, whose logarithms and cosines affect the initial weights.
const char *apus_libc_version(void);

/// Makes this process the parent of orphans among its descendants. Returns 0, or −1 and errno.
int apus_adopt_orphans(void);

/// The name, argument 0, under which this executable supervises a command, whose words follow.
///
/// The first word is looked up in PATH, and the command has the signal mask of the supervisor, which
/// ends as the command ends. All processes that the command started end with it, and also when the
/// process that started the supervisor, and holds the other end of the pipe APUS_LIFELINE, ends in
/// any way. All executables with this module have the mode.
#define APUS_SUPERVISOR "apus-supervisor"
/// The file descriptor of the pipe's reading end in the supervisor.
#define APUS_LIFELINE 3

/// Names the file that is mapped at start: an access to a page of it that cannot be read ends the
/// process with a sentence and exit code 5, in place of SIGBUS. Any thread may call it.
void apus_name_mapping(const void *start, size_t bytes, const char *path);
/// Forgets the mapping at start, before it is unmapped.
void apus_forget_mapping(const void *start);

/// Makes memory of zeros that other processes of the host can open. Returns its file descriptor, or
/// −1 and errno.
int apus_create_shared_memory(size_t bytes);
/// The number of the descriptor's file, which no other file of its kind has on this host; 0 on error.
uint64_t apus_file_number(int file);
/// Opens the shared memory that a process, this one or another, made as the descriptor file. Returns
/// a descriptor, or −1 and errno: ESTALE when the descriptor is not of memory with this number and
/// size, as where the processes of two containers have the same numbers.
int apus_open_shared_memory(int process, int file, uint64_t number, size_t bytes);
