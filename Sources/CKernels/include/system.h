#pragma once
#include <stddef.h>
#include <stdint.h>

/// Sets bit c of the mask when the calling thread may run on core c. Returns 0, or −1 and errno.
int apus_get_affinity(uint8_t *mask, size_t bytes);
/// Binds the calling thread to the cores in the mask. Returns 0, or −1 and errno.
int apus_set_affinity(const uint8_t *mask, size_t bytes);
/// The version of the C library, whose logarithms and cosines affect the initial weights.
const char *apus_libc_version(void);
