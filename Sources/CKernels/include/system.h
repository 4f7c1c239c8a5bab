#pragma once
#include <stddef.h>
#include <stdint.h>

/// Bit c of the mask: whether the calling thread may run on core c. Returns 0, or −1 and errno.
int apus_get_affinity(uint8_t *mask, size_t bytes);
/// Binds the calling thread to the cores of the mask. Returns 0, or −1 and errno.
int apus_set_affinity(const uint8_t *mask, size_t bytes);
/// The version of the C library, whose logarithms and cosines reach the weights.
const char *apus_libc_version(void);
