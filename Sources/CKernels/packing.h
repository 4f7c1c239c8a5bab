// Blocks of a matrix B in the fastest cache, for products that read B once: 32-bit units, each a
// number in fp32, or two consecutive k of a column in bf16, a "pair".
//
// A block has 16 KB. It is deep (64 units of k by 64 columns) where the rows of B run along k;
// where they run along n it may be wide (16 by 256): hardware looks ahead along rows. Tiles are STEP
// columns wide or a part of that.
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

/// From B [k, n], `rows` of k, into a block of `block_width`; `pitch` in elements.
void apus_pack_pairs(uint32_t *block, size_t block_width, const uint16_t *b, size_t pitch,
                     size_t rows, size_t width);
void apus_pack_rows(uint32_t *block, size_t block_width, const uint32_t *b, size_t pitch,
                    size_t rows, size_t width);
/// From B [n, k] in either type into a deep block; `pitch` and `depth` in bytes.
void apus_pack_columns(uint32_t *block, const char *b, size_t pitch, size_t depth, size_t width);
