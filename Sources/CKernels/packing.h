// Blocks of a matrix B packed into the L1 cache, for products that read B once. A block consists of
// 32-bit units: an fp32 number, or a "pair" of bf16 numbers, two consecutive k of a column.
//
// A block has 16 KB. It is deep (64 units of k by 64 columns) where the rows of B run along k.
// Where they run along n it may be wide (16 by 256), because the hardware prefetches along rows.
// Tiles are at most STEP columns wide, and their width divides STEP.
#pragma once
#include "vector.h"

enum {
  UNIT = 4,
  STEP = 64,
  BLOCK = 4096,
  WIDE_WIDTH = 4 * STEP,
  DEEP_WIDTH = STEP,
};

#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

/// Packs `rows` of k of B [k, n] into a block of `block_width` units; `stride` is in elements.
void apus_pack_pairs(uint32_t *block, size_t block_width, const uint16_t *b, size_t stride,
                     size_t rows, size_t width);
void apus_pack_rows(uint32_t *block, size_t block_width, const uint32_t *b, size_t stride,
                    size_t rows, size_t width);
/// Packs B [n, k] of either type into a deep block; `stride` and `depth` are in bytes.
void apus_pack_columns(uint32_t *block, const char *b, size_t stride, size_t depth, size_t width);
