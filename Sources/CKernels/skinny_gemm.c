// Skinny GEMM: C = A·B that reads every element of B from memory once, for up to a few hundred rows
// of A.
//
// A block of B is packed into the L1 cache, in either memory order of B (see packing.h), and all
// rows of A are multiplied by it while the next block is prefetched. A tile of rows × columns is
// summed in registers.
//
// Every element of C is one sum over ascending k without partial sums: its bits depend on its
// factors alone, not on the number of rows nor on its position.
#include "packing.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Rows of the copy of A are padded by one cache line (in floats), so that the rows of a tile do not
// map to the same cache sets.
enum { MOST_ROWS = 12, MOST_VECTORS = STEP / LANES, ROW_PADDING = 16 };

// The four cache lines of the next block to prefetch at each unit of k of the current block. `size`
// is the size of an element in bytes.
struct prefetch {
  const char *base;
  size_t step, second, size;
};

INLINED void fetch(struct prefetch next, size_t unit) {
  const char *line = next.base + unit * next.step;
  __builtin_prefetch(line);
  __builtin_prefetch(line + 64);
  __builtin_prefetch(line + next.second);
  __builtin_prefetch(line + next.second + 64);
}

// Computes a tile of C, `rows` × (`vectors` · 16), from fp32 A and bf16 pairs of B. `rows` and
// `vectors` are constants at every call site.
INLINED void expanded_tile(float *c, size_t c_stride, const float *a, size_t a_stride,
                           const uint32_t *b, size_t b_stride, size_t pairs, bool adds,
                           struct prefetch next, int rows, int vectors) {
  vf sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? (vf)LOAD(c + r * c_stride + v * LANES) : (vf)0;
    }
  }
  for (size_t pair = 0; pair < pairs; pair++, b += b_stride, a += 2) {
    vf first[MOST_VECTORS], second[MOST_VECTORS];
    if (next.base) fetch(next, pair);
    UNROLLED for (int v = 0; v < vectors; v++) {
      vu both = *(const vu *)(b + v * LANES);
      first[v] = (vf)(both << 16);
      second[v] = (vf)(both & 0xFFFF0000u);
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_stride] * first[v];
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_stride + 1] * second[v];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) STORE(c + r * c_stride + v * LANES, sums[r][v]);
  }
}

// Computes a tile with B in fp32.
INLINED void single_tile(float *c, size_t c_stride, const float *a, size_t a_stride,
                         const uint32_t *b, size_t b_stride, size_t units, bool adds,
                         struct prefetch next, int rows, int vectors) {
  vf sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? (vf)LOAD(c + r * c_stride + v * LANES) : (vf)0;
    }
  }
  for (size_t unit = 0; unit < units; unit++, b += b_stride, a++) {
    vf x[MOST_VECTORS];
    if (next.base) fetch(next, unit);
    UNROLLED for (int v = 0; v < vectors; v++) x[v] = (vf) * (const vu *)(b + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += a[r * a_stride] * x[v];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) STORE(c + r * c_stride + v * LANES, sums[r][v]);
  }
}

// Computes a tile with vdpbf16ps, which multiplies bf16 pairs and adds them. A consists of pairs
// too.
#if defined(__x86_64__)
#define PAIRED __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

INLINED PAIRED void paired_tile(float *c, size_t c_stride, const float *a, size_t a_stride,
                               const uint32_t *b, size_t b_stride, size_t pairs, bool adds,
                               struct prefetch next, int rows, int vectors) {
  __m512 sums[MOST_ROWS][MOST_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      sums[r][v] = adds ? _mm512_loadu_ps(c + r * c_stride + v * LANES) : _mm512_setzero_ps();
    }
  }
  for (size_t pair = 0; pair < pairs; pair++, b += b_stride, a++) {
    __m512bh both[MOST_VECTORS];
    if (next.base) fetch(next, pair);
    UNROLLED for (int v = 0; v < vectors; v++) {
      both[v] = (__m512bh)_mm512_load_si512(b + v * LANES);
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      __m512bh x = (__m512bh)_mm512_set1_ps(a[r * a_stride]);
      UNROLLED for (int v = 0; v < vectors; v++) {
        sums[r][v] = _mm512_dpbf16_ps(sums[r][v], x, both[v]);
      }
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) {
      _mm512_storeu_ps(c + r * c_stride + v * LANES, sums[r][v]);
    }
  }
}
#endif

// The product of all rows of A with one packed block; `a` points to the block's first k.
struct pass {
  float *c;
  size_t c_stride;
  const float *a;
  size_t a_stride;
  const uint32_t *block;
  size_t block_stride, m, width, units;
  bool adds;
  struct prefetch next;
};

// Computes as many tiles of `rows` rows as fit, starting at `row` of pass `p`. The tiles of the
// first row prefetch the next block.
#define TILES(TILE, rows, vectors)                                                                 \
  for (; row + (rows) <= p->m; row += (rows)) {                                                    \
    for (size_t column = 0; column < p->width; column += (vectors)*LANES) {                        \
      struct prefetch next = p->next;                                                              \
      bool asks = row == 0 && column % STEP == 0 && next.base;                                     \
      next.base = asks ? next.base + next.size * column : NULL;                                    \
      TILE(p->c + row * p->c_stride + column, p->c_stride, p->a + row * p->a_stride, p->a_stride,  \
           p->block + column, p->block_stride, p->units, p->adds, next, (rows), (vectors));        \
    }                                                                                              \
  }

// Tile sizes that keep as many sums in registers as fit beside the factors. With expanded bf16,
// twelve rows of two vectors do not fit into the 32 registers of AVX-512.
#define WIDE_PASS(TILE)                                                                            \
  TILES(TILE, 8, 2)                                                                                \
  TILES(TILE, 4, 4)                                                                                \
  TILES(TILE, 2, 4)                                                                                \
  TILES(TILE, 1, 4)
#define NARROW_PASS(TILE)                                                                          \
  TILES(TILE, 6, 1)                                                                                \
  TILES(TILE, 3, 2)                                                                                \
  TILES(TILE, 1, 4)

#if defined(__x86_64__)
static PAIRED void paired_pass(const struct pass *p) {
  size_t row = 0;
  TILES(paired_tile, 12, 2)
  WIDE_PASS(paired_tile)
}
#define WIDE __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define NARROW __attribute__((target("arch=x86-64-v3")))
static WIDE void wide_pass(const struct pass *p) {
  size_t row = 0;
  WIDE_PASS(expanded_tile)
}
static WIDE void wide_single_pass(const struct pass *p) {
  size_t row = 0;
  TILES(single_tile, 12, 2)
  WIDE_PASS(single_tile)
}
static NARROW void narrow_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
}
static NARROW void narrow_single_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(single_tile)
}
#endif
static void plain_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(expanded_tile)
}
static void plain_single_pass(const struct pass *p) {
  size_t row = 0;
  NARROW_PASS(single_tile)
}

bool apus_has_bf16_products(void) {
#if defined(__x86_64__)
  return apus_level() == APUS_V4 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

// On AMD from Zen 4 on and on Cooper Lake, vdpbf16ps has twice the throughput of fp32
// multiply-adds. On Intel from Sapphire Rapids on it has half of it, because bf16 is meant to use
// AMX there.
bool apus_bf16_pairs_are_faster(void) {
#if defined(__x86_64__)
  return apus_has_bf16_products() &&
         (__builtin_cpu_is("amd") || __builtin_cpu_is("cooperlake"));
#else
  return false;
#endif
}

typedef void (*run_pass)(const struct pass *);

static run_pass chosen_pass(bool is_bf16, bool uses_pairs) {
#if defined(__x86_64__)
  if (uses_pairs) return paired_pass;
  if (apus_level() == APUS_V4) return is_bf16 ? wide_pass : wide_single_pass;
  if (apus_level() >= APUS_V3) return is_bf16 ? narrow_pass : narrow_single_pass;
#endif
  (void)uses_pairs;
  return is_bf16 ? plain_pass : plain_single_pass;
}

// The division of B into blocks of `width` columns and `depth` k. Blocks follow the rows of B, or
// its columns (`down`) where C is the larger load. `stride` is in bytes; `size` is the size of an
// element.
struct blocking {
  const char *b;
  size_t stride, size;
  bool transposed, down;
  size_t n, k, width, depth;
};

struct part {
  const char *b;
  size_t row, column;
};

#define PARTS(size, each) (((size) + (each)-1) / (each))

static size_t part_count(const struct blocking *w) {
  return PARTS(w->n, w->width) * PARTS(w->k, w->depth);
}

static struct part part_at(const struct blocking *w, size_t place) {
  size_t across = PARTS(w->n, w->width), down = PARTS(w->k, w->depth);
  size_t row = (w->down ? place % down : place / across) * w->depth;
  size_t column = (w->down ? place / down : place % across) * w->width;
  size_t offset = w->transposed ? column * w->stride + row * w->size
                                : row * w->stride + column * w->size;
  return (struct part){w->b + offset, row, column};
}

static struct prefetch prefetch_of(const struct blocking *w, size_t place) {
  if (place + 1 == part_count(w)) return (struct prefetch){0};
  const char *base = part_at(w, place + 1).b;
  // A pair needs two cache lines of each of two rows of B; fp32 and transposed B need all four
  // lines of one row.
  if (!w->transposed && w->size == 2)
    return (struct prefetch){base, 2 * w->stride, w->stride, w->size};
  return (struct prefetch){base, w->stride, 128, w->size};
}

// Computes the last columns as full tiles in a buffer, MOST_ROWS rows at a time, and copies the
// valid columns to C.
static void run_edge(run_pass run, const struct pass *p) {
  float edge[MOST_ROWS * STEP] = {0};
  struct pass part = *p;
  part.c = edge;
  part.c_stride = STEP;
  size_t bytes = p->width * sizeof *edge;
  for (size_t row = 0; row < p->m; row += MOST_ROWS) {
    part.m = p->m - row < MOST_ROWS ? p->m - row : MOST_ROWS;
    part.a = p->a + row * p->a_stride;
    float *c = p->c + row * p->c_stride;
    for (size_t r = 0; r < part.m && p->adds; r++) {
      memcpy(edge + r * STEP, c + r * p->c_stride, bytes);
    }
    run(&part);
    for (size_t r = 0; r < part.m; r++) memcpy(c + r * p->c_stride, edge + r * STEP, bytes);
  }
}

// Multiplies all rows of A by all blocks of B; the rows of A are `a_stride` units apart.
static void run_blocks(const struct blocking *w, bool uses_pairs, float *c, size_t c_stride,
                       const float *a, size_t a_stride, size_t m, bool adds) {
  bool is_bf16 = w->size == sizeof(uint16_t);
  run_pass run = chosen_pass(is_bf16, uses_pairs);
  size_t per_unit = UNIT / w->size;
  for (size_t place = 0; place < part_count(w); place++) {
    _Alignas(64) uint32_t block[BLOCK];
    struct part part = part_at(w, place);
    size_t depth = w->k - part.row < w->depth ? w->k - part.row : w->depth;
    size_t width = w->n - part.column < w->width ? w->n - part.column : w->width;
    if (w->transposed) {
      apus_pack_columns(block, part.b, w->stride, depth * w->size, width);
    } else if (is_bf16) {
      apus_pack_pairs(block, w->width, (const uint16_t *)part.b, w->stride / w->size, depth, width);
    } else {
      apus_pack_rows(block, w->width, (const uint32_t *)part.b, w->stride / w->size, depth, width);
    }
    struct pass pass = {.c = c + part.column,
                        .c_stride = c_stride,
                        .a = a + (uses_pairs ? part.row / 2 : part.row),
                        .a_stride = a_stride,
                        .block = block,
                        .block_stride = w->width,
                        .m = m,
                        .width = width / STEP * STEP,
                        .units = PARTS(depth, per_unit),
                        .adds = adds || part.row > 0,
                        .next = prefetch_of(w, place)};
    if (pass.width > 0) run(&pass);
    if (pass.width == width) continue;
    pass.c += pass.width;
    pass.block += pass.width;
    pass.width = width - pass.width;
    run_edge(run, &pass);
  }
}

// Up to this number of rows the cost is reading B; with more rows it is reading and writing C.
enum { SKINNY = 48 };

static struct blocking blocking_of(const void *b, size_t stride, size_t size, bool transposed,
                                   size_t m, size_t n, size_t k) {
  bool down = transposed || m > SKINNY;
  size_t width = down ? DEEP_WIDTH : WIDE_WIDTH;
  return (struct blocking){.b = b,
                           .stride = stride * size,
                           .size = size,
                           .transposed = transposed,
                           .down = down,
                           .n = n,
                           .k = k,
                           .width = width,
                           .depth = BLOCK / width * UNIT / size};
}

// The row stride of the copy of A, in 32-bit units.
#define A_STRIDE(k, uses_pairs)                                                                    \
  ((uses_pairs) ? ((k) + 1) / 2 + ROW_PADDING : ((k) + 1) / 2 * 2 + ROW_PADDING)

size_t apus_skinny_gemm_scratch(size_t m, size_t k, bool uses_pairs) {
  return m * A_STRIDE(k, uses_pairs);
}

void apus_skinny_gemm_bf16(float *c, size_t c_stride, const uint16_t *a, size_t a_stride,
                           const uint16_t *b, size_t b_stride, bool b_transposed, size_t m,
                           size_t n, size_t k, bool adds, bool uses_pairs, float *scratch) {
  size_t stride = A_STRIDE(k, uses_pairs), pairs = (k + 1) / 2;
  for (size_t row = 0; row < m; row++) {
    float *x = scratch + row * stride;
    if (uses_pairs) {
      x[pairs - 1] = 0;
      memcpy(x, a + row * a_stride, k * sizeof *a);
    } else {
      apus_expand_bf16(x, a + row * a_stride, k);
      if (k % 2) x[k] = 0;
    }
  }
  // One row is a fifth faster without packing. The sums are the same and in the same order as long
  // as k is even, so that no zero pads the last pair.
  if (m == 1 && !b_transposed && !uses_pairs && k % 2 == 0) {
    return apus_bf16_sum_rows(c, scratch, b, b_stride, n, k, adds);
  }
  struct blocking blocking = blocking_of(b, b_stride, sizeof *b, b_transposed, m, n, k);
  run_blocks(&blocking, uses_pairs, c, c_stride, scratch, stride, m, adds);
}

void apus_skinny_gemm_fp32(float *c, size_t c_stride, const float *a, size_t a_stride,
                           const float *b, size_t b_stride, bool b_transposed, size_t m, size_t n,
                           size_t k, bool adds, float *scratch) {
  struct blocking blocking = blocking_of(b, b_stride, sizeof *b, b_transposed, m, n, k);
  if (m < MOST_ROWS) return run_blocks(&blocking, false, c, c_stride, a, a_stride, m, adds);
  size_t stride = A_STRIDE(k, false);
  for (size_t row = 0; row < m; row++) {
    memcpy(scratch + row * stride, a + row * a_stride, k * sizeof *a);
  }
  run_blocks(&blocking, false, c, c_stride, scratch, stride, m, adds);
}
