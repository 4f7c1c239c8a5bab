// Packing of blocks of a matrix B in 32-bit units (see packing.h).
#include "packing.h"

typedef uint16_t vbf16x32 __attribute__((ext_vector_type(32)));
typedef uint32_t vu_unaligned __attribute__((ext_vector_type(16), aligned(2)));

#define INTERLEAVE(x, y, from)                                                                     \
  __builtin_shufflevector((x), (y), (from), (from) + 32, (from) + 1, (from) + 33, (from) + 2,      \
                          (from) + 34, (from) + 3, (from) + 35, (from) + 4, (from) + 36,           \
                          (from) + 5, (from) + 37, (from) + 6, (from) + 38, (from) + 7,            \
                          (from) + 39, (from) + 8, (from) + 40, (from) + 9, (from) + 41,           \
                          (from) + 10, (from) + 42, (from) + 11, (from) + 43, (from) + 12,         \
                          (from) + 44, (from) + 13, (from) + 45, (from) + 14, (from) + 46,         \
                          (from) + 15, (from) + 47)

// Packs `rows` of k and `width` columns of bf16 B [k, n]. Incomplete pairs and steps are padded
// with zeros.
KERNEL(void, apus_pack_pairs,
       (uint32_t *block, size_t block_width, const uint16_t *b, size_t stride, size_t rows,
        size_t width),
       (block, block_width, b, stride, rows, width)) {
  for (size_t row = 0; row < rows; row += 2, b += 2 * stride, block += block_width) {
    for (size_t column = 0; column < (width + STEP - 1) / STEP * STEP; column += 2 * LANES) {
      vbf16x32 first = 0, second = 0;
      size_t rest = column < width ? width - column : 0;
      if (rest >= 2 * LANES) {
        memcpy(&first, b + column, sizeof first);
        if (row + 1 < rows) memcpy(&second, b + stride + column, sizeof second);
      } else {
        memcpy(&first, b + column, rest * sizeof *b);
        if (row + 1 < rows) memcpy(&second, b + stride + column, rest * sizeof *b);
      }
      *(vu *)(block + column) = (vu)INTERLEAVE(first, second, 0);
      *(vu *)(block + column + LANES) = (vu)INTERLEAVE(first, second, 16);
    }
  }
}

// Packs fp32 B in the same way.
KERNEL(void, apus_pack_rows,
       (uint32_t *block, size_t block_width, const uint32_t *b, size_t stride, size_t rows,
        size_t width),
       (block, block_width, b, stride, rows, width)) {
  for (size_t row = 0; row < rows; row++, b += stride, block += block_width) {
    for (size_t column = 0; column < (width + STEP - 1) / STEP * STEP; column += LANES) {
      vu x = 0;
      size_t rest = column < width ? width - column : 0;
      if (rest >= LANES)
        x = *(const vu_unaligned *)(b + column);
      else
        memcpy(&x, b + column, rest * sizeof *b);
      *(vu *)(block + column) = x;
    }
  }
}

// One of the four stages of a 16×16 transposition: x[i] and x[i + distance] exchange halves of
// their groups of 2·distance lanes.
#define TRADE(x, distance, ...)                                                                    \
  UNROLLED for (int i = 0; i < LANES; i++) {                                                       \
    if (i & (distance)) continue;                                                                  \
    vu low_ = (x)[i], high_ = (x)[i + (distance)];                                                 \
    TRADE_PAIR((x)[i], (x)[i + (distance)], low_, high_, __VA_ARGS__);                             \
  }
#define TRADE_PAIR(a, b, low, high, i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13,    \
                   i14, i15, d)                                                                    \
  (a) = __builtin_shufflevector((low), (high), i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11,   \
                                i12, i13, i14, i15);                                               \
  (b) = __builtin_shufflevector((low), (high), i0 + d, i1 + d, i2 + d, i3 + d, i4 + d, i5 + d,     \
                                i6 + d, i7 + d, i8 + d, i9 + d, i10 + d, i11 + d, i12 + d,         \
                                i13 + d, i14 + d, i15 + d)

// Packs `width` rows (at most STEP) of B [n, k], `depth` bytes of k each.
KERNEL(void, apus_pack_columns,
       (uint32_t *block, const char *b, size_t stride, size_t depth, size_t width),
       (block, b, stride, depth, width)) {
  enum { LINE = 64 };
  for (size_t column = 0; column < STEP; column += LANES, b += LANES * stride) {
    for (size_t first = 0; first < depth; first += LINE) {
      vu x[LANES];
      bool whole = column + LANES <= width && first + LINE <= depth;
      size_t rest = depth - first < LINE ? depth - first : LINE;
      UNROLLED for (int i = 0; i < LANES; i++) {
        x[i] = 0;
        if (whole)
          x[i] = *(const vu_unaligned *)(b + i * stride + first);
        else if (column + i < width)
          memcpy(&x[i], b + i * stride + first, rest);
      }
      TRADE(x, 8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8);
      TRADE(x, 4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27, 4);
      TRADE(x, 2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29, 2);
      TRADE(x, 1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30, 1);
      UNROLLED for (int i = 0; i < LANES; i++) {
        *(vu *)(block + (first / UNIT + i) * DEEP_WIDTH + column) = x[i];
      }
    }
  }
}
