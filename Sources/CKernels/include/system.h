#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bit c of the mask: whether the calling thread may run on core c. Returns 0, or −1 and errno.
int apus_get_affinity(uint8_t *mask, size_t bytes);
/// Binds the calling thread to the cores of the mask. Returns 0, or −1 and errno.
int apus_set_affinity(const uint8_t *mask, size_t bytes);
/// The version of the C library, whose logarithms and cosines reach the weights.
const char *apus_libc_version(void);
/// Whether the CPU multiplies bf16 faster than fp32: with AMX, or with AVX512-BF16 at full rate (AMD;
/// of Intel's only Cooper Lake). Sapphire Rapids and its successors, where a virtual machine hides
/// their AMX, do `vdpbf16ps` at half the rate of fp32 (measured: 75 against 149 GFLOP/s a core).
bool apus_half_products_are_quick(void);
